/** Charts of the daily totals: the rate of each day, and the successes so far. */

import { chart } from "../../components/charts/chart.js";
import { intervalText } from "../../components/charts/interval.js";
import { count, rate } from "../../format.js";
import { DATE_COLUMN, dateAxis, localTime } from "./date-axis.js";
import { cumulative, dailyRates } from "./daily-series.js";
import { OTHERS } from "./drawn-variants.js";

/** Successes per impression of each day, with the interval of that day alone. */
export function ratesChart(variants, totals, signal) {
  const rates = dailyRates(totals.filter(({ variant_id }) => variants.has(variant_id)));
  const values = rates.map((one) => ({ ...one, date: localTime(one.date), variant: variants.name(one.variant_id) }));
  const y = { type: "quantitative", title: "successes per impression", axis: { format: ".1%" }, scale: { zero: false } };
  const { colour, legend } = variants.series;
  return chart(
    "Rate of each day",
    {
      data: { values },
      encoding: { x: dateAxis(rates.map(({ date }) => date)), color: colour },
      layer: [
        { mark: { type: "area", opacity: 0.13 }, encoding: { y: { ...y, field: "low" }, y2: { field: "high" } } },
        { mark: { type: "line", strokeWidth: 1.8, point: rates.length < 3, tooltip: true }, encoding: { y: { ...y, field: "rate" } } },
      ],
    },
    {
      summary: "Successes per impression of each day, with the 95 % interval (Wilson) of that day alone." + variants.note,
      signal,
      legend,
      data: {
        columns: [
          DATE_COLUMN,
          { title: "Variant", of: ({ variant_id }) => variants.name(variant_id) },
          { title: "Rate", numeric: true, of: (one) => rate(one.rate) },
          { title: "95 % interval", of: ({ low, high }) => intervalText([low, high]) },
        ],
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
