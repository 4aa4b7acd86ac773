/** Who plays: policies as rows, each with everything that can be set of it. */

import { formField } from "../../components/form.js";
import { h, replace } from "../../dom.js";
import { changed, joined, properties } from "./controls.js";
import { kindName } from "./names.js";

/** A control (see controls.js) of a list of policies; `kinds` are those of the scenario, `usual` who plays else, `least` how many there must be. */
export function policiesControl(kinds, usual, { least = 1 } = {}) {
  const name = "policies";
  const place = h("div", { class: "rows" });
  let rows = [];
  const draw = () =>
    replace(place, rows.map((row, i) =>
      h(
        "div",
        { class: "policy", role: "group", "aria-label": `Policy ${i + 1}` },
        h("div", { class: "fields" }, row.element),
        h("button", { type: "button", class: "quiet", disabled: rows.length <= least, "aria-label": `Take policy ${i + 1} away`, onclick: () => take(row) }, "Remove"),
      ),
    ));
  const enter = (values) => {
    rows = values.map((value, i) => policyRow(kinds, `${name}.${i}`, value, draw));
    draw();
  };
  const take = (row) => {
    enter(rows.filter((one) => one !== row).map((one) => one.value()));
    changed(place);
  };
  const add = () => {
    const unused = kinds.find(({ kind }) => !rows.some((row) => row.value().kind === kind)) ?? kinds[0];
    rows.push(policyRow(kinds, `${name}.${rows.length}`, { kind: unused.kind }, draw));
    draw();
    changed(place);
    rows.at(-1).fields()[0].input.focus();
  };
  enter(usual);
  return {
    element: h("fieldset", { class: "policies" }, h("legend", {}, "Policies"), place, h("button", { type: "button", class: "quiet", onclick: add }, "+ Add a policy")),
    fields: () => rows.flatMap((row) => row.fields()),
    value() {
      const values = rows.map((row) => row.value());
      return JSON.stringify(values) === JSON.stringify(usual) ? undefined : values;
    },
    set: (value) => enter(value ?? usual),
  };
}

function policyRow(kinds, name, value, drawn) {
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
  kind.input.addEventListener("change", () => (show(), drawn(), kind.input.focus()));
  show(value);
  return row;
}
