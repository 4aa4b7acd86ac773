/** Key numbers side by side. */

import { h } from "../dom.js";

/** A number with its label above and a note below. */
export const tile = (label, value, note) =>
  h("div", { class: "tile" }, h("dt", {}, label), h("dd", {}, h("b", {}, value), h("span", { class: "hint" }, note)));

/** A row of tiles; `label` names it for screen readers. */
export const tiles = (label, ...some) => h("dl", { class: "tiles", "aria-label": label }, some);
