/** The drag race while it runs: a chart that grows with each interim result. */

import { chart, legendOf, variantColour } from "../../components/charts/chart.js";
import { table } from "../../components/data/table.js";
import { h } from "../../dom.js";
import { count, money } from "../../format.js";
import { CLV, DAY, RACE_HEIGHT } from "./race-charts.js";

/** The chart as `element`; `update(interim)` draws the means of every policy up to the days that were simulated. */
export function liveRace(names, days, signal) {
  let view = null;
  let interim = { days: [], policies: [] };
  const leaders = h("div", { class: "leaders", "aria-live": "off" });
  const element = chart(
    "The race so far",
    {
      data: { name: "race", values: [{ variant: names[0], day: 1, mean: 0 }] },
      height: RACE_HEIGHT,
      autosize: { type: "fit", contains: "padding", resize: true }, // the labels of the y axis become wider
      mark: { type: "line", strokeWidth: 2.5 },
      encoding: { x: { ...DAY, scale: { domain: [1, days], nice: false } }, y: { field: "mean", ...CLV }, color: variantColour(names) },
    },
    { summary: "Mean added CLV of every policy by day, as far as it was simulated.", signal, legend: legendOf(names), whenDrawn: (drawn) => ((view = drawn), draw()), data: { columns: [], rows: [] } },
  );
  element.querySelector("details").replaceChildren(h("summary", {}, "Data table"), leaders);
  return { element, update: (result) => ((interim = result), draw()) };

  function draw() {
    const values = interim.policies.flatMap((means, p) => means.map((mean, i) => ({ variant: names[p], day: interim.days[i], mean })));
    if (values.length) view?.data("race", values).run();
    const now = names.map((name, p) => ({ name, mean: interim.policies[p]?.at(-1) ?? null }));
    leaders.replaceChildren(table(`After ${count(interim.days.at(-1) ?? 0)} days`, [{ title: "Policy", of: ({ name }) => name }, { title: "Added CLV", numeric: true, of: ({ mean }) => money(mean, "EUR") }], now));
  }
}
