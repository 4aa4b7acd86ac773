/**
 * Controls made from a JSON Schema: every parameter with its words, its bounds and its usual value.
 *
 * A control has
 * - `element`: what is shown,
 * - `fields()`: the inputs in it, named as the API names them, for faults,
 * - `value()`: what to send; undefined where it is the usual value,
 * - `set(value)`: enters a value as the API has it; undefined is the usual one.
 */

import { formField } from "../../components/form.js";
import { h, replace, uniqueId } from "../../dom.js";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The control of a parameter. `schemas` are those that a `$ref` may name. */
export function control(name, described, schemas) {
  const { hint, usual, schema, rest } = plain(described, schemas);
  const given = { name, label: labelOf(name, schema), hint: hint && inWords(hint), usual, schema, schemas, preset: described.examples?.[0] };
  if (rest.length > 1 && rest.every(({ type }) => type === "object")) return choiceOfObjects(given, rest);
  if (rest.length > 1) return leaf(given, { kind: "text", read: oneOrSeveral, written: list });
  if (schema.prefixItems) return row(given);
  if (schema.type === "array") return several(given);
  if (schema.type === "object") return group(given);
  return leaf(given, single(schema));
}

/** A schema without references and nulls; `rest` are the forms it may take. */
function plain(described, schemas) {
  const whole = resolved(described, schemas);
  const forms = whole.anyOf ?? whole.oneOf;
  const rest = forms ? forms.flatMap((one) => plain(one, schemas).rest) : whole.type === "null" ? [] : [whole];
  const inner = { rest, schema: rest[0], hint: rest[0]?.description };
  const usual = described.default ?? whole.default;
  return { ...inner, hint: described.description ?? whole.description ?? inner.hint, usual: usual ?? undefined };
}

const resolved = ({ $ref, ...schema }, schemas) => ($ref ? { ...schemas[$ref.split("/").pop()], ...schema } : schema);

/** A description of the API as a person would write it. */
function inWords(text) {
  const words = text.replace(/`([a-z_]+)`/g, (_, name) => name.replaceAll("_", " ")).replace(/\bnull\b/g, "empty");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const OWN_WORDS = { arm: "Arms", a: "Successes", b: "Failures", emails: "E-mails", cost_per_email: "Cost per e-mail", q0: "Conversion on the first day", sd: "Step, standard deviation", at: "After so many e-mails" };

/** "cost_per_contact" as a person would write it. */
export function labelOf(name, schema = {}) {
  const last = name.split(".").pop();
  const words = OWN_WORDS[last] ?? (schema.prefixTitle || last.replaceAll("_", " "));
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How a single value is entered and read. */
function single(schema) {
  if (schema.enum) return { kind: "select", choices: schema.enum.map((value) => [value, value.replaceAll("_", " ")]) };
  if (schema.const !== undefined) return { kind: "text" };
  if (schema.type === "boolean") return { kind: "checkbox" };
  if (schema.type === "integer" || schema.type === "number") return { kind: schema.type };
  return { kind: schema.format === "date" ? "date" : "text" };
}

function leaf({ name, label, hint, usual, schema }, { written = (value) => value ?? "", ...how }) {
  const field = formField({ name, label, hint, min: schema.minimum, max: schema.maximum, value: how.kind === "checkbox" ? usual : written(usual), ...how });
  return {
    element: field.element,
    fields: () => [field],
    value() {
      const value = field.value() ?? undefined;
      return same(value, usual) ? undefined : value;
    },
    set(value = usual) {
      if (how.kind === "checkbox") field.input.checked = Boolean(value);
      else field.input.value = written(value ?? undefined);
    },
  };
}

const list = (value) => (value === undefined ? "" : [value].flat().join(", "));
const number = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);
const numbers = ({ value }) => (value.trim() ? value.split(/[,;\s]+/).filter(Boolean).map(number) : null);
const oneOrSeveral = (input) => (numbers(input)?.length === 1 ? numbers(input)[0] : numbers(input));
const lines = ({ value }) => (value.trim() ? value.split("\n").map((line) => line.trim()).filter(Boolean) : null);

/** An array: numbers on a line, words on lines, or objects as rows. */
function several(given) {
  const items = plain(given.schema.items ?? {}, given.schemas).schema;
  if (items.type === "object") return rows(given, items);
  if (items.type === "string") return leaf(given, { kind: "area", read: lines, written: (value) => (value ?? []).join("\n") });
  return leaf({ ...given, schema: {}, hint: `${given.hint ?? ""}. Several with commas between.` }, { kind: "text", read: numbers, written: list });
}

/** A fixed number of values beside each other, each with a word. */
function row({ name, hint, usual, schema, schemas }) {
  const parts = schema.prefixItems.map((one, i) => control(`${name}.${i}`, { ...one, prefixTitle: one.title, default: usual?.[i], description: i ? undefined : hint }, schemas));
  return {
    element: parts.map(({ element }) => element),
    fields: () => parts.flatMap((part) => part.fields()),
    value() {
      const values = parts.map((part, i) => part.value() ?? usual?.[i]);
      return same(values, usual) ? undefined : values;
    },
    set: (value = usual) => parts.forEach((part, i) => part.set(value?.[i])),
  };
}

/** The parameters of an object, those of the outer level first. */
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

/** Controls by their names as one. */
export const joined = (parts) => ({
  fields: () => parts.flatMap(([, part]) => part.fields()),
  value() {
    const values = parts.map(([name, part]) => [name, part.value()]).filter(([, value]) => value !== undefined);
    return values.length ? Object.fromEntries(values) : undefined;
  },
  set: (value = {}) => parts.forEach(([name, part]) => part.set(value?.[name])),
});

/** One of several kinds of object, or none. */
function choiceOfObjects({ name, label, hint, schemas }, kinds) {
  const kindOf = (schema) => schema.properties.kind.const;
  const choices = [["", "none"], ...kinds.map((schema) => [kindOf(schema), kindOf(schema).replaceAll("_", " ")])];
  const choice = formField({ name: `${name}.kind`, label, hint, kind: "select", choices });
  const place = h("div", { class: "fields" });
  let parts = [];
  const show = () => {
    const { kind: _, ...rest } = kinds.find((schema) => kindOf(schema) === choice.input.value)?.properties ?? {};
    parts = properties(rest, schemas, `${name}.`);
    replace(place, parts.map(([, part]) => part.element));
  };
  choice.input.addEventListener("change", show);
  return {
    element: h("div", { class: "group" }, choice.element, place),
    fields: () => [choice, ...joined(parts).fields()],
    value: () => (choice.input.value ? { kind: choice.input.value, ...joined(parts).value() } : undefined),
    set(value) {
      choice.input.value = value?.kind ?? "";
      show();
      joined(parts).set(value ?? undefined);
    },
  };
}

/** Objects as rows that can be added and taken away; none stands for the preset, with which one can begin. */
function rows({ name, label, hint, schemas, preset }, item) {
  const id = uniqueId("rows");
  const place = h("div", { class: "rows" });
  let parts = [];
  const draw = () => {
    replace(place, parts.map((part, i) =>
      h("div", { class: "object", role: "group", "aria-label": `${label} ${i + 1}` }, h("div", { class: "fields" }, part.element), h("button", { type: "button", class: "quiet", "aria-label": `Take ${label.toLowerCase()} ${i + 1} away`, onclick: () => take(part) }, "Remove")),
    ));
    begin.hidden = parts.length > 0 || !preset;
  };
  const make = (value) => {
    const inner = properties(item.properties, schemas, `${name}.${parts.length}.`);
    const part = { ...joined(inner), element: inner.map(([, one]) => one.element) };
    part.set(value);
    parts.push(part);
  };
  const take = (part) => {
    const left = parts.filter((one) => one !== part).map((one) => one.value());
    enter(left);
    changed(place);
  };
  const enter = (values) => {
    parts = [];
    values.forEach(make);
    draw();
  };
  const begin = h("button", { type: "button", onclick: () => (enter(preset), changed(place)) }, "Begin with those of the preset");
  draw();
  return {
    element: h("fieldset", { class: "group", "aria-describedby": id }, h("legend", {}, label), h("p", { class: "hint", id }, hint), place, h("p", { class: "buttons" }, begin, h("button", { type: "button", class: "quiet", onclick: () => (make(), draw(), changed(place)) }, "+ Add one"))),
    fields: () => parts.flatMap((part) => part.fields()),
    value: () => (parts.length ? parts.map((part) => part.value() ?? {}) : undefined),
    set: (value) => enter(value && !same(value, preset) ? value : []),
  };
}

/** Tell the form that something in it changed which no key was pressed for. */
export const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));
