/** The variants of a new experiment, as rows that can be added and removed. */

import { h, replace, uniqueId } from "../../dom.js";
import { formField } from "../forms/form.js";

/** Rows for variants, one of which is the control. */
export function variantRows(ids) {
  const group = uniqueId("control");
  const list = h("div", { class: "rows" });
  let rows = ids.map((id) => createRow(id));
  rows[0].control.checked = true;
  draw();
  const add = h("button", { type: "button", class: "quiet", onclick: () => (rows.push(createRow("")), draw(), rows.at(-1).id.input.focus()) }, "+ Add a variant");
  return {
    element: h("fieldset", {}, h("legend", {}, "Variants"), list, add),
    fields: () => rows.flatMap(({ id, name }, i) => [{ ...id, name: `variants.${i}.variant_id` }, { ...name, name: `variants.${i}.name` }]),
    values: () => rows.map(({ id, name, control }) => ({ variant_id: id.value() ?? "", name: name.value(), is_control: control.checked })),
  };

  function createRow(id) {
    return {
      id: formField({ name: "variant_id", label: "Id", value: id, required: true }),
      name: formField({ name: "name", label: "Name" }),
      control: h("input", { type: "radio", name: group, id: uniqueId("is-control") }),
    };
  }

  function draw() {
    replace(list, rows.map((row, i) => h(
      "div",
      { class: "row", role: "group", "aria-label": `Variant ${i + 1}` },
      row.id.element,
      row.name.element,
      h("span", { class: "choice" }, row.control, h("label", { for: row.control.id }, "Control")),
      h("button", { type: "button", class: "quiet", disabled: rows.length < 2, "aria-label": `Remove variant ${i + 1}`, onclick: () => removeRow(row) }, "Remove"),
    )));
  }

  function removeRow(row) {
    rows = rows.filter((other) => other !== row);
    if (row.control.checked) rows[0].control.checked = true;
    draw();
  }
}
