/** Tables: every figure that a chart draws stands in one, too. */

import { h } from "../dom.js";

/**
 * A table in a box that scrolls sideways on small screens.
 *
 * @param {string} caption - what it shows, for those who hear it
 * @param {{title: string, of: (row) => any, figure?: boolean}[]} columns - the first one names the row
 */
export function table(caption, columns, rows, { visibleCaption = false } = {}) {
  const head = columns.map(({ title, figure }) => h("th", { scope: "col", class: figure && "figure" }, title));
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

function cell({ of, figure }, row, first) {
  const properties = { class: figure && "figure" };
  return first ? h("th", { ...properties, scope: "row" }, of(row)) : h("td", properties, of(row));
}
