/** Charts of the daily totals: the rate of each day, and the successes so far. */

import { chart } from "../../components/charts/chart.js";
import { intervalText } from "../../components/charts/interval.js";
import { count, percent, plural, rate } from "../../format.js";
import { DATE_COLUMN, dateAxis, localTime } from "./date-axis.js";
import { cumulative, dailyRates, paleRuns } from "./daily-series.js";
import { OTHERS } from "./drawn-variants.js";

/** Days of which fewer conversions have come are drawn paler. */
const MATURE = 0.95;

/** Successes per impression of each day, with the interval of that day alone; days whose conversions are still coming are paler. */
export function ratesChart(variants, totals, matured, signal) {
  const rates = dailyRates(totals.filter(({ variant_id }) => variants.has(variant_id)), matured);
  const points = rates.map((one) => ({ ...one, date: localTime(one.date), variant: variants.name(one.variant_id), pale: one.matured < MATURE }));
  const values = [...Map.groupBy(points, ({ variant }) => variant).values()].flatMap(paleRuns);
  const pale = new Set(rates.filter((one) => one.matured < MATURE).map(({ date }) => date)).size;
  const paler = (range) => ({ field: "pale", type: "ordinal", scale: { domain: [false, true], range } });
  const y = { type: "quantitative", title: "successes per impression", axis: { format: ".1%" }, scale: { zero: false } };
  const { colour, legend } = variants.series;
  return chart(
    "Rate of each day",
    {
      data: { values },
      encoding: { x: dateAxis(rates.map(({ date }) => date)), color: colour, detail: { field: "run" } },
      layer: [
        { mark: { type: "area", opacity: 1 }, encoding: { y: { ...y, field: "low" }, y2: { field: "high" }, fillOpacity: paler([0.13, 0.05]) } },
        {
          mark: { type: "line", strokeWidth: 1.8, point: rates.length < 3, tooltip: true },
          encoding: { y: { ...y, field: "rate" }, strokeOpacity: paler([1, 0.5]), strokeDash: paler([[1, 0], [5, 4]]) },
        },
      ],
    },
    {
      summary: `Successes per impression of each day, with the 95 % interval (Wilson) of that day alone.${pale ? ` ${plural(pale, "day")} of which fewer than ${percent(MATURE)} of the conversions have come ${pale === 1 ? "is" : "are"} drawn paler and dashed: the rate is still rising.` : ""}${variants.note}`,
      signal,
      legend: pale ? [...legend, { label: `dashed: fewer than ${percent(MATURE)} of the conversions have come`, colour: "transparent", kind: "dashed" }] : legend,
      data: {
        columns: [
          DATE_COLUMN,
          { title: "Variant", of: ({ variant_id }) => variants.name(variant_id) },
          { title: "Rate", numeric: true, of: (one) => rate(one.rate) },
          { title: "95 % interval", of: ({ low, high }) => intervalText([low, high]) },
          pale > 0 && { title: "Conversions come", numeric: true, of: (one) => percent(one.matured, 1) },
        ].filter(Boolean),
        rows: [...rates].reverse(),
      },
    },
  );
}

/** Successes added up since the first day shown, stacked. */
export function successesChart(variants, totals, signal) {
  const sums = cumulative(totals);
  const [own, rest] = [sums.filter(({ variant_id: id }) => variants.has(id)), sums.filter(({ variant_id: id }) => !variants.has(id))];
  const others = [...Map.groupBy(rest, ({ date }) => date)].map(([date, some]) => ({ date, variant: OTHERS, ...summed(some) }));
  const rows = [...own.map((one) => ({ ...one, variant: variants.name(one.variant_id) })), ...others];
  const { colour, legend } = variants.parts;
  return chart(
    "Successes so far",
    {
      data: { values: rows.map((one) => ({ ...one, date: localTime(one.date) })) },
      mark: { type: "area", opacity: 0.8 },
      encoding: { x: dateAxis(sums.map(({ date }) => date)), y: { field: "successes", type: "quantitative", title: "successes since the first day shown", stack: true }, color: colour },
    },
    {
      summary: "Impressions and successes added up since the first day shown.",
      signal,
      legend,
      data: {
        columns: [
          DATE_COLUMN,
          { title: "Variant", of: ({ variant }) => variant },
          { title: "Impressions", numeric: true, of: ({ impressions }) => count(impressions) },
          { title: "Successes", numeric: true, of: ({ successes }) => count(successes) },
        ],
        rows: rows.toSorted((a, b) => b.date.localeCompare(a.date)),
      },
    },
  );
}

const summed = (some) => ({
  impressions: some.reduce((sum, { impressions }) => sum + impressions, 0),
  successes: some.reduce((sum, { successes }) => sum + successes, 0),
});
