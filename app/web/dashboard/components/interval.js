/** A figure with its interval, drawn as a small line among those of its neighbours. */

import { h } from "../dom.js";
import { rate } from "../format.js";
import { seriesColour } from "../colours.js";

/** Intervals on one scale: `drawn(variant, place)` gives the line, which the figures beside it say in numbers. */
export function intervalLines(variants) {
  const ends = variants.flatMap((variant) => variant.interval_95);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const at = (value) => (high > low ? (100 * (value - low)) / (high - low) : 50);
  return ({ interval_95: [from, to], mean }, place) =>
    h(
      "span",
      { class: "interval", "aria-hidden": "true" },
      h("i", { style: { left: `${at(from)}%`, width: `${at(to) - at(from)}%`, background: seriesColour(place) } }),
      h("i", { class: "mean", style: { left: `${at(mean)}%`, background: seriesColour(place) } }),
    );
}

/** An interval whose ends keep their signs where the line is broken. */
export const wholeInterval = ([low, high], written) => ["95 %: ", whole(written(low)), " to ", whole(written(high))];
const whole = (end) => h("span", { class: "whole" }, end);

/** An interval in words: 10.13 % to 14.16 %. */
export const intervalText = ([low, high], written = rate) => `${written(low)} to ${written(high)}`;
