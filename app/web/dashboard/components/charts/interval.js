/** Intervals, as text and as small lines on a common scale. */

import { h } from "../../dom.js";
import { rate } from "../../format.js";
import { seriesColour } from "./colours.js";

/** A function from (variant, index) to a line that shows its interval, on one scale for all these variants. */
export function intervalLines(variants) {
  const ends = variants.flatMap(({ interval_95: interval }) => interval);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const at = (value) => (high > low ? (100 * (value - low)) / (high - low) : 50);
  return ({ interval_95: [from, to], mean }, index) =>
    h(
      "span",
      { class: "interval", "aria-hidden": "true" },
      h("i", { style: { left: `${at(from)}%`, width: `${at(to) - at(from)}%`, background: seriesColour(index) } }),
      h("i", { class: "mean", style: { left: `${at(mean)}%`, background: seriesColour(index) } }),
    );
}

/** An interval as nodes whose ends are not broken over two lines. */
export const unbrokenInterval = ([low, high], format) => ["95 %: ", unbroken(format(low)), " to ", unbroken(format(high))];
const unbroken = (text) => h("span", { class: "unbroken" }, text);

/** An interval as text: 10.13 % to 14.16 %. */
export const intervalText = ([low, high], format = rate) => `${format(low)} to ${format(high)}`;
