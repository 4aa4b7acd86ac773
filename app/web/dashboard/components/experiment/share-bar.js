/** Shares of traffic as one bar with a segment per variant. */

import { h } from "../../dom.js";
import { share } from "../../format.js";
import { seriesColour } from "../charts/colours.js";
import { variantName } from "./names.js";

const MANY = 40; // segments, between which gaps would take more room than the segments

/** A bar of the shares with the largest `listed` below it; the list has the numbers, so the bar itself is decoration. */
export function shareBar(experiment, allocations, { listed = 5 } = {}) {
  const segments = experiment.variants
    .map((variant, index) => ({ variant, index, percent: allocations[variant.variant_id] }))
    .filter(({ percent }) => percent !== undefined);
  const drawn = segments.filter(({ percent }) => percent > 0);
  const largest = [...segments].sort((a, b) => b.percent - a.percent);
  return h(
    "div",
    { class: "shares" },
    h("div", { class: `bar ${drawn.length > MANY ? "many" : ""}`, "aria-hidden": "true" }, drawn.map(segment)),
    listed > 0 && h(
      "ul",
      { "aria-label": "Today's shares" },
      largest.slice(0, listed).map(({ variant, index, percent }) =>
        h("li", {}, dot(index), h("span", { class: "label" }, variantName(variant)), h("b", {}, share(percent))),
      ),
      largest.length > listed && h("li", { class: "more" }, `and ${largest.length - listed} more`),
    ),
  );
}

const segment = ({ index, percent }) =>
  h("span", { style: { width: `${percent}%`, background: seriesColour(index) } });

/** The colour of a variant as a dot beside its name. */
export const dot = (index) => h("i", { class: "dot", style: { background: seriesColour(index) }, "aria-hidden": "true" });
