/**
 * Forms: fields from a list, and the service's errors beside the fields they are about.
 *
 * A field is named as in the API ("burn_in.days"), so that an error of `body.burn_in.days` finds it.
 */

import { h, announce, replace, uniqueId } from "../../dom.js";
import { sentence } from "../placeholders.js";

/**
 * A field with its label, its hint and space for an error.
 *
 * @param {object} field
 * @param {string} field.name - as in the API
 * @param {"text"|"number"|"integer"|"select"|"checkbox"|"area"|"date"} [field.kind]
 * @param {[string, string][]} [field.choices] - of a select: values and their labels
 * @param {(input) => any} [field.read] - returns what to send of what was entered
 */
export function formField({ name, label, kind = "text", hint, choices = [], value, required, min, max, step, placeholder, read }) {
  const id = uniqueId("field");
  const describedBy = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  const shared = { id, "data-field": name, "aria-describedby": describedBy, required };
  const input = makeInput(kind, { shared, choices, value, min, max, step, placeholder });
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const title = h("label", { for: id }, label);
  const below = hint && h("p", { class: "hint", id: `${id}-hint` }, hint);
  const element = h("div", { class: `field ${kind}` }, kind === "checkbox" ? [input, title] : [title, input], below, error);
  return { name, element, input, error, value: () => (read ?? READ[kind])(input) };
}

function makeInput(kind, { shared, choices, value, min, max, step, placeholder }) {
  if (kind === "select") {
    return h("select", shared, choices.map(([key, label]) => h("option", { value: key, selected: key === String(value ?? "") }, label)));
  }
  if (kind === "area") return h("textarea", { ...shared, rows: 3, placeholder, value: value ?? "" });
  if (kind === "checkbox") return h("input", { ...shared, type: "checkbox", checked: Boolean(value) });
  if (kind === "number" || kind === "integer") {
    const inputmode = kind === "integer" ? "numeric" : "decimal";
    return h("input", { ...shared, type: "number", inputmode, min, max, step: step ?? (kind === "integer" ? 1 : "any"), placeholder, value: value ?? "" });
  }
  return h("input", { ...shared, type: kind, placeholder, value: value ?? "", autocomplete: "off" });
}

const orNull = (text) => (text.trim() === "" ? null : text.trim());

/** Text that is not a number is sent as it is, for the service to reject: the browser would report an empty value. */
const asNumber = (input) => (input.validity.badInput ? "not a number" : input.value === "" ? null : Number(input.value));

const READ = {
  text: (input) => orNull(input.value),
  area: (input) => orNull(input.value),
  date: (input) => orNull(input.value),
  select: (input) => orNull(input.value),
  number: asNumber,
  integer: asNumber,
  checkbox: (input) => input.checked,
};

/** Errors about fields that the dashboard finds by itself, in the form of the service's. */
export class FieldErrors extends Error {
  constructor(fields) {
    super(fields.map(({ message }) => message).join(" "));
    this.fields = fields;
  }
}

/**
 * A form around content that has fields in it.
 *
 * @param {() => Field[]} fields - those that errors may be about, when it is submitted
 * @param {() => Promise} submit - what to do; an error with `fields` is shown beside these
 */
export function form(content, fields, submit, { button, more = [] }) {
  const error = h("div", { class: "notice bad", role: "alert", hidden: true });
  const submitButton = h("button", { class: "primary" }, button);
  return h("form", { novalidate: true, onsubmit: submitted }, content, error, h("p", { class: "buttons end" }, submitButton, more));

  async function submitted(event) {
    event.preventDefault();
    clearErrors(fields(), error);
    submitButton.disabled = true;
    try {
      await submit();
    } catch (problem) {
      if (problem.name !== "AbortError") showErrors(fields(), error, problem);
    } finally {
      submitButton.disabled = false;
    }
  }
}

function clearErrors(fields, general) {
  for (const { error, input } of fields) {
    error.hidden = true;
    input.removeAttribute("aria-invalid");
  }
  general.hidden = true;
}

/** Put every error beside its field; those without a field are listed below the form. */
function showErrors(fields, general, problem) {
  const unplaced = [];
  for (const { field, message } of problem.fields ?? []) {
    const found = fieldOf(fields, field);
    if (!found) unplaced.push(`${field.replace(/^body\./, "")}: ${message}`);
    else {
      found.error.textContent = found.error.hidden ? message : `${found.error.textContent} ${message}`;
      found.error.hidden = false;
      found.input.setAttribute("aria-invalid", "true");
    }
  }
  const first = fields.find(({ error }) => !error.hidden)?.input;
  const summary = first ? "Some fields need to be corrected." : sentence(problem);
  general.hidden = false;
  replace(general, h("p", {}, summary), unplaced.length ? h("ul", {}, unplaced.map((text) => h("li", {}, text))) : null);
  announce(summary);
  revealed(first)?.focus();
}

/** Open the folded sections around a field. */
function revealed(input) {
  for (let parent = input?.parentElement; parent; parent = parent.parentElement) if (parent.tagName === "DETAILS") parent.open = true;
  return input;
}

/** The field that an error is about: the one of this name, or the nearest around or inside it. */
function fieldOf(fields, path) {
  const name = path.replace(/^body\.?/, "").replace(/\.?\((all|variants|one|many)\)/g, "");
  return (
    fields.find((field) => field.name === name) ??
    fields.find((field) => name.startsWith(`${field.name}.`)) ??
    (name && fields.find((field) => field.name.startsWith(`${name}.`)))
  );
}
