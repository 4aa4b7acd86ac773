/**
 * Controls made from a JSON Schema: every parameter with its label, its bounds and its default.
 *
 * A control has
 * - `element`: what is shown,
 * - `fields()`: its inputs, named as in the API, to show errors at,
 * - `value()`: what to send; undefined if it is the default,
 * - `set(value)`: enters a value as the API has it; undefined is the default.
 */

import { formField } from "../../components/forms/form.js";
import { h, replace, uniqueId } from "../../dom.js";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The control of a parameter; `schemas` are those that a `$ref` may name. */
export function control(name, described, schemas) {
  const { hint, initial, schema, variants } = resolve(described, schemas);
  const given = { name, label: labelOf(name, schema), hint: hint && plainText(hint), initial, schema, schemas, preset: described.examples?.[0] };
  const kinds = variants.filter(({ type }) => type === "object");
  if (variants.length > 1 && kinds.length) return objectChoice(given, kinds, variants.find(({ type }) => type !== "object"));
  if (variants.length > 1) return leaf(given, { kind: "text", read: oneOrSeveral, write: list });
  if (schema.prefixItems) return tuple(given);
  if (schema.type === "array") return array(given);
  if (schema.type === "object") return group(given);
  return leaf(given, inputOf(schema));
}

/** A schema without references and nulls; `variants` are the alternatives it allows, `initial` is its default. */
function resolve(described, schemas) {
  const whole = dereference(described, schemas);
  const alternatives = whole.anyOf ?? whole.oneOf;
  const variants = alternatives ? alternatives.flatMap((one) => resolve(one, schemas).variants) : whole.type === "null" ? [] : [whole];
  const hint = described.description ?? whole.description ?? variants[0]?.description;
  return { variants, schema: variants[0], hint, initial: described.default ?? whole.default ?? undefined };
}

const dereference = ({ $ref, ...schema }, schemas) => ($ref ? { ...schemas[$ref.split("/").pop()], ...schema } : schema);

/** A description of the API without code marks. */
function plainText(text) {
  const plain = text.replace(/`([a-z_]+)`/g, (_, name) => name.replaceAll("_", " ")).replace(/\bnull\b/g, "empty");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

const LABELS = { arm: "Arms", a: "Successes", b: "Failures", emails: "E-mails", cost_per_email: "Cost per e-mail", q0: "Conversion on the first day", sd: "Step, standard deviation", at: "After this many e-mails" };

/** "cost_per_contact" as "Cost per contact". */
function labelOf(name, schema = {}) {
  const last = name.split(".").pop();
  const text = LABELS[last] ?? (schema.prefixTitle || last.replaceAll("_", " "));
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The input for a single value. */
function inputOf(schema) {
  if (schema.enum) return { kind: "select", choices: schema.enum.map((value) => [value, value.replaceAll("_", " ")]) };
  if (schema.const !== undefined) return { kind: "text" };
  if (schema.type === "boolean") return { kind: "checkbox" };
  if (schema.type === "integer" || schema.type === "number") return { kind: schema.type };
  return { kind: schema.format === "date" ? "date" : "text" };
}

function leaf({ name, label, hint, initial, schema }, { write = (value) => value ?? "", ...input }) {
  const field = formField({ name, label, hint, min: schema.minimum, max: schema.maximum, value: input.kind === "checkbox" ? initial : write(initial), ...input });
  return {
    element: field.element,
    fields: () => [field],
    value() {
      const value = field.value() ?? undefined;
      return same(value, initial) ? undefined : value;
    },
    set(value = initial) {
      if (input.kind === "checkbox") field.input.checked = Boolean(value);
      else field.input.value = write(value ?? undefined);
    },
  };
}

const list = (value) => (value === undefined ? "" : [value].flat().join(", "));
const number = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);
const numbers = ({ value }) => (value.trim() ? value.split(/[,;\s]+/).filter(Boolean).map(number) : null);
const oneOrSeveral = (input) => (numbers(input)?.length === 1 ? numbers(input)[0] : numbers(input));
const lines = ({ value }) => (value.trim() ? value.split("\n").map((line) => line.trim()).filter(Boolean) : null);

/** An array: numbers on one line, texts on several, or objects as rows. */
function array(given) {
  const items = resolve(given.schema.items ?? {}, given.schemas).schema;
  if (items.type === "object") return objectRows(given, items);
  if (items.type === "string") return leaf(given, { kind: "area", read: lines, write: (value) => (value ?? []).join("\n") });
  return leaf({ ...given, schema: {}, hint: `${given.hint ?? ""}. Separate several with commas.` }, { kind: "text", read: numbers, write: list });
}

/** A fixed number of values side by side, each with its label. */
function tuple({ name, hint, initial, schema, schemas }) {
  const parts = schema.prefixItems.map((one, i) => control(`${name}.${i}`, { ...one, prefixTitle: one.title, default: initial?.[i], description: i ? undefined : hint }, schemas));
  return {
    element: parts.map(({ element }) => element),
    fields: () => parts.flatMap((part) => part.fields()),
    value() {
      const values = parts.map((part, i) => part.value() ?? initial?.[i]);
      return same(values, initial) ? undefined : values;
    },
    set: (value = initial) => parts.forEach((part, i) => part.set(value?.[i])),
  };
}

/** The controls of an object's properties, as pairs of name and control. */
export function properties(described, schemas, prefix = "") {
  return Object.entries(described ?? {}).map(([name, one]) => [name, control(prefix + name, one, schemas)]);
}

function group({ name, label, hint, schema, schemas }) {
  const parts = properties(schema.properties, schemas, `${name}.`);
  return {
    element: h("fieldset", { class: "group" }, h("legend", {}, label), hint && h("p", { class: "hint" }, hint), h("div", { class: "fields" }, parts.map(([, part]) => part.element))),
    ...joined(parts),
  };
}

/** Pairs of name and control as one control of an object. */
export const joined = (parts) => ({
  fields: () => parts.flatMap(([, part]) => part.fields()),
  value() {
    const values = parts.map(([name, part]) => [name, part.value()]).filter(([, value]) => value !== undefined);
    return values.length ? Object.fromEntries(values) : undefined;
  },
  set: (value = {}) => parts.forEach(([name, part]) => part.set(value?.[name])),
});

/** An object of one of several kinds, none, or, where the schema allows one, a `number`. */
function objectChoice({ name, label, hint, schemas }, kinds, number) {
  const kindOf = (schema) => schema.properties.kind.const;
  const named = kinds.map(kindOf).filter((kind) => kind !== "none");
  const choices = [["", "none"], ...(number ? [["number", "a number"]] : []), ...named.map((kind) => [kind, kind.replaceAll("_", " ")])];
  const choice = formField({ name: `${name}.kind`, label, hint, kind: "select", choices });
  const content = h("div", { class: "fields" });
  let parts = [];
  const show = () => {
    const { kind: _, ...rest } = kinds.find((schema) => kindOf(schema) === choice.input.value)?.properties ?? {};
    parts = properties(choice.input.value === "number" ? { number } : rest, schemas, `${name}.`);
    replace(content, parts.map(([, part]) => part.element));
  };
  choice.input.addEventListener("change", show);
  return {
    element: h("div", { class: "group" }, choice.element, content),
    fields: () => [choice, ...joined(parts).fields()],
    value() {
      const values = joined(parts).value();
      if (choice.input.value === "number") return values?.number;
      return choice.input.value ? { kind: choice.input.value, ...values } : undefined;
    },
    set(value) {
      const entered = typeof value === "number" ? { kind: "number", number: value } : (value ?? undefined);
      choice.input.value = entered?.kind ?? "";
      show();
      joined(parts).set(entered);
    },
  };
}

/** Objects as rows that can be added and removed; no rows mean the preset, which can be copied into rows. */
function objectRows({ name, label, hint, schemas, preset }, item) {
  const id = uniqueId("rows");
  const content = h("div", { class: "rows" });
  let parts = [];
  const draw = () => {
    replace(content, parts.map((part, i) =>
      h("div", { class: "object", role: "group", "aria-label": `${label} ${i + 1}` }, h("div", { class: "fields" }, part.element), h("button", { type: "button", class: "quiet", "aria-label": `Remove ${label.toLowerCase()} ${i + 1}`, onclick: () => removeRow(part) }, "Remove")),
    ));
    begin.hidden = parts.length > 0 || !preset;
  };
  const create = (value) => {
    const inner = properties(item.properties, schemas, `${name}.${parts.length}.`);
    const part = { ...joined(inner), element: inner.map(([, one]) => one.element) };
    part.set(value);
    parts.push(part);
  };
  const removeRow = (part) => {
    enter(parts.filter((one) => one !== part).map((one) => one.value()));
    notifyChange(content);
  };
  const enter = (values) => {
    parts = [];
    values.forEach(create);
    draw();
  };
  const begin = h("button", { type: "button", onclick: () => (enter(preset), notifyChange(content)) }, "Start from the preset");
  draw();
  return {
    element: h("fieldset", { class: "group", "aria-describedby": id }, h("legend", {}, label), h("p", { class: "hint", id }, hint), content, h("p", { class: "buttons" }, begin, h("button", { type: "button", class: "quiet", onclick: () => (create(), draw(), notifyChange(content)) }, "+ Add one"))),
    fields: () => parts.flatMap((part) => part.fields()),
    value: () => (parts.length ? parts.map((part) => part.value() ?? {}) : undefined),
    set: (value) => enter(value && !same(value, preset) ? value : []),
  };
}

/** Notify the form of a change that was not made by typing. */
export const notifyChange = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));
