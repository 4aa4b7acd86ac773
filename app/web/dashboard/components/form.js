/**
 * Forms: fields from a list, and the service's complaints beside the fields they are about.
 *
 * A field is named as the API names it ("burn_in.days"), so that a fault of `body.burn_in.days` finds it.
 */

import { h, announce, replace, uniqueId } from "../dom.js";
import { sentence } from "./states.js";

/**
 * A field with its label, its hint and room for a fault.
 *
 * @param {object} field
 * @param {string} field.name - as the API names it
 * @param {"text"|"number"|"integer"|"select"|"checkbox"|"area"|"date"} [field.kind]
 * @param {[string, string][]} [field.choices] - of a select: values and their words
 * @param {(value) => any} [field.read] - from what was entered to what is sent
 */
export function formField({ name, label, kind = "text", hint, choices = [], value, required, min, max, step, placeholder, read }) {
  const id = uniqueId("field");
  const described = [hint && `${id}-hint`, `${id}-fault`].filter(Boolean).join(" ");
  const shared = { id, "data-field": name, "aria-describedby": described, required };
  const input = makeInput(kind, { shared, choices, value, min, max, step, placeholder });
  const fault = h("p", { class: "fault", id: `${id}-fault`, hidden: true });
  const words = h("label", { for: id }, label);
  const below = hint && h("p", { class: "hint", id: `${id}-hint` }, hint);
  const element = h("div", { class: `field ${kind}` }, kind === "checkbox" ? [input, words] : [words, input], below, fault);
  return { name, element, input, fault, value: () => (read ?? READ[kind])(input) };
}

function makeInput(kind, { shared, choices, value, min, max, step, placeholder }) {
  if (kind === "select") {
    return h("select", shared, choices.map(([key, word]) => h("option", { value: key, selected: key === String(value ?? "") }, word)));
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

/** What is no number goes to the service as it is, which says so; the browser would hide it behind an empty value. */
const asNumber = (input) => (input.validity.badInput ? "no number" : input.value === "" ? null : Number(input.value));

const READ = {
  text: (input) => orNull(input.value),
  area: (input) => orNull(input.value),
  date: (input) => orNull(input.value),
  select: (input) => orNull(input.value),
  number: asNumber,
  integer: asNumber,
  checkbox: (input) => input.checked,
};

/**
 * A form around content with fields in it.
 *
 * @param {() => Field[]} fields - those that faults may be about, as they are when it is sent
 * @param {() => Promise} send - what is done; a `Problem` it throws is shown beside the fields
 */
export function form(content, fields, send, { button, more = [] }) {
  const fault = h("div", { class: "notice bad", role: "alert", hidden: true });
  const submit = h("button", { class: "primary" }, button);
  const element = h("form", { novalidate: true, onsubmit: sent }, content, fault, h("p", { class: "buttons end" }, submit, more));
  return element;

  async function sent(event) {
    event.preventDefault();
    showFaults(fields(), fault, null);
    submit.disabled = true;
    try {
      await send();
    } catch (error) {
      if (error.name !== "AbortError") showFaults(fields(), fault, error);
    } finally {
      submit.disabled = false;
    }
  }
}

/** Put every fault beside its field; those that are about none stand below all. */
export function showFaults(fields, general, error) {
  for (const { fault, input } of fields) {
    fault.hidden = true;
    input.removeAttribute("aria-invalid");
  }
  general.hidden = error === null;
  if (error === null) return;
  const left = [];
  for (const { field, message } of error.fields ?? []) {
    const found = fieldOf(fields, field);
    if (!found) left.push(`${field.replace(/^body\./, "")}: ${message}`);
    else {
      found.fault.textContent = found.fault.hidden ? message : `${found.fault.textContent} ${message}`;
      found.fault.hidden = false;
      found.input.setAttribute("aria-invalid", "true");
    }
  }
  const first = fields.find(({ fault }) => !fault.hidden)?.input;
  const beside = first ? "Some fields need another look." : sentence(error);
  replace(general, h("p", {}, beside), left.length ? h("ul", {}, left.map((text) => h("li", {}, text))) : null);
  announce(beside);
  revealed(first)?.focus();
}

/** Open what hides a field. */
function revealed(input) {
  for (let parent = input?.parentElement; parent; parent = parent.parentElement) if (parent.tagName === "DETAILS") parent.open = true;
  return input;
}

/** The field that a fault is about: the one of this name, or the nearest around or inside it. */
function fieldOf(fields, path) {
  const name = path.replace(/^body\.?/, "").replace(/\.?\((all|variants|one|many)\)/g, "");
  return (
    fields.find((field) => field.name === name) ??
    fields.find((field) => name.startsWith(`${field.name}.`)) ??
    (name && fields.find((field) => field.name.startsWith(`${name}.`)))
  );
}
