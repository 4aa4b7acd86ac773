/** Shares of traffic as one bar, a piece per variant. */

import { h } from "../dom.js";
import { seriesColour } from "../colours.js";
import { share } from "../format.js";
import { variantName } from "./names.js";

const MANY = 40; // pieces, between which the gaps would take more room than the pieces

/** A bar of the shares with its legend below; the figures are in the legend, so the bar itself is decoration. */
export function shareBar(experiment, allocations, { most = 5 } = {}) {
  const pieces = experiment.variants
    .map((variant, place) => ({ variant, place, percent: allocations[variant.variant_id] }))
    .filter(({ percent }) => percent !== undefined);
  const drawn = pieces.filter(({ percent }) => percent > 0);
  const largest = [...pieces].sort((a, b) => b.percent - a.percent);
  const listed = largest.slice(0, most);
  return h(
    "div",
    { class: "shares" },
    h("div", { class: `bar ${drawn.length > MANY ? "many" : ""}`, "aria-hidden": "true" }, drawn.map(piece)),
    h(
      "ul",
      { "aria-label": "Today's shares" },
      listed.map(({ variant, place, percent }) =>
        h("li", {}, dot(place), h("span", { class: "word" }, variantName(variant)), h("b", {}, share(percent))),
      ),
      largest.length > most && h("li", { class: "more" }, `and ${largest.length - most} more`),
    ),
  );
}

const piece = ({ place, percent }) =>
  h("span", { style: { width: `${percent}%`, background: seriesColour(place) } });

/** The colour of a variant as a dot beside its name. */
export const dot = (place) => h("i", { class: "dot", style: { background: seriesColour(place) }, "aria-hidden": "true" });
