/** The policies of a run, as rows with all their parameters. */

import { formField } from "../../components/forms/form.js";
import { h, replace } from "../../dom.js";
import { kindName } from "./policy-names.js";
import { joined, notifyChange, properties } from "./schema-controls.js";

/** A control (see schema-controls.js) for a list of policies; `kinds` are those of the scenario, `defaults` the list that applies if none is given, `min` how many are required. */
export function policiesControl(kinds, defaults, { min = 1 } = {}) {
  const name = "policies";
  const list = h("div", { class: "rows" });
  let rows = [];
  const draw = () =>
    replace(list, rows.map((row, i) =>
      h(
        "div",
        { class: "policy", role: "group", "aria-label": `Policy ${i + 1}` },
        h("div", { class: "fields" }, row.element),
        h("button", { type: "button", class: "quiet", disabled: rows.length <= min, "aria-label": `Remove policy ${i + 1}`, onclick: () => removeRow(row) }, "Remove"),
      ),
    ));
  const enter = (values) => {
    rows = values.map((value, i) => policyRow(kinds, `${name}.${i}`, value, draw));
    draw();
  };
  const removeRow = (row) => {
    enter(rows.filter((one) => one !== row).map((one) => one.value()));
    notifyChange(list);
  };
  const add = () => {
    const unused = kinds.find(({ kind }) => !rows.some((row) => row.value().kind === kind)) ?? kinds[0];
    rows.push(policyRow(kinds, `${name}.${rows.length}`, { kind: unused.kind }, draw));
    draw();
    notifyChange(list);
    rows.at(-1).fields()[0].input.focus();
  };
  enter(defaults);
  return {
    element: h("fieldset", { class: "policies" }, h("legend", {}, "Policies"), list, h("button", { type: "button", class: "quiet", onclick: add }, "+ Add a policy")),
    fields: () => rows.flatMap((row) => row.fields()),
    value() {
      const values = rows.map((row) => row.value());
      return JSON.stringify(values) === JSON.stringify(defaults) ? undefined : values;
    },
    set: (value) => enter(value ?? defaults),
  };
}

function policyRow(kinds, name, value, redraw) {
  const kind = formField({ name: `${name}.kind`, label: "Policy", kind: "select", choices: kinds.map((one) => [one.kind, kindName(one.kind)]), value: value.kind });
  const summary = h("p", { class: "hint" });
  kind.element.append(summary);
  const row = { element: [], fields: () => [kind, ...row.parts.flatMap(([, part]) => part.fields())], value: () => ({ kind: kind.input.value, ...joined(row.parts).value() }) };
  const show = (values) => {
    const chosen = kinds.find((one) => one.kind === kind.input.value) ?? kinds[0];
    kind.input.value = chosen.kind;
    summary.textContent = chosen.summary;
    row.parts = properties(chosen.parameters.properties, {}, `${name}.`);
    joined(row.parts).set(values);
    row.element = [kind.element, row.parts.map(([, part]) => part.element)];
  };
  kind.input.addEventListener("change", () => (show(), redraw(), kind.input.focus()));
  show(value);
  return row;
}
