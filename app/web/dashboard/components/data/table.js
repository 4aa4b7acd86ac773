/** Tables: all that a chart draws is in one, too. */

import { h } from "../../dom.js";

/**
 * A table in a box that scrolls sideways on small screens.
 *
 * @param {string} caption - for screen readers, and for everybody with `visibleCaption`
 * @param {{title: string, of: (row) => any, numeric?: boolean}[]} columns - the first one names the row
 */
export function table(caption, columns, rows, { visibleCaption = false } = {}) {
  const head = columns.map(({ title, numeric }) => h("th", { scope: "col", class: numeric && "numeric" }, title));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: !visibleCaption && "visually-hidden" }, caption),
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((column, i) => cell(column, row, i === 0))))),
    ),
  );
}

function cell({ of, numeric }, row, first) {
  const properties = { class: numeric && "numeric" };
  return first ? h("th", { ...properties, scope: "row" }, of(row)) : h("td", properties, of(row));
}
