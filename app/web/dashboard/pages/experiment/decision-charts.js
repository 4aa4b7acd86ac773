/** Charts of the recorded allocations: the shares, and how certain they were. */

import { chart } from "../../components/charts/chart.js";
import { h } from "../../dom.js";
import { day, daysBefore, percent, perImpression, plural, rate, share } from "../../format.js";
import { DATE_COLUMN, dateAxis, localTime } from "./date-axis.js";
import { lastOfEachDate } from "./daily-series.js";
import { OTHERS } from "./drawn-variants.js";

const DATE_TOOLTIP = { field: "date", type: "temporal", format: "%Y-%m-%d" };

/** The shares by date; a mark above a date means that its allocation was revised. */
export function sharesChart(variants, revisions, signal) {
  const last = lastOfEachDate(revisions);
  const ids = variants.ids.filter((id) => last.some(({ allocations }) => id in allocations));
  const steps = [...last, { ...last.at(-1), date: daysBefore(last.at(-1).date, -1) }]; // a share holds for its whole day
  const values = steps.flatMap(({ date, allocations }) => [
    ...ids.map((id, place) => ({ date: localTime(date), variant: variants.name(id), place, share: allocations[id] ?? 0 })),
    ...(variants.isPart ? [{ date: localTime(date), variant: OTHERS, place: ids.length, share: 100 - ids.reduce((sum, id) => sum + (allocations[id] ?? 0), 0) }] : []),
  ]);
  const x = dateAxis(steps.map(({ date }) => date));
  const marks = revisedDates(revisions);
  const { colour, legend } = variants.parts;
  const latest = last.at(-1);
  return h("div", { class: "wide" }, chart(
    "Shares of traffic by date",
    {
      layer: [
        {
          data: { values },
          mark: { type: "area", interpolate: "step-after", opacity: 0.85, tooltip: true },
          encoding: {
            x,
            y: { field: "share", type: "quantitative", title: "percent of traffic", stack: true, scale: { domain: [0, 100] } },
            color: colour,
            order: { field: "place" },
            tooltip: [{ field: "variant" }, { field: "share", format: ".2f", title: "percent" }, DATE_TOOLTIP],
          },
        },
        marks.length && {
          data: { values: marks },
          mark: { type: "point", shape: "triangle-down", filled: true, size: 80, yOffset: -6, tooltip: true, color: "gray" },
          encoding: { x, y: { datum: 100 }, tooltip: [{ field: "revisions", title: "revisions of the day" }, DATE_TOOLTIP] },
        },
      ].filter(Boolean),
    },
    {
      summary: `${plural(last.length, "date")}, ${plural(revisions.length, "recorded revision")}; on ${day(latest.date)}: ${ids.map((id) => `${variants.name(id)} ${share(latest.allocations[id])}`).join(", ")}. A mark above a date means that it was revised.${variants.note}`,
      signal,
      legend,
      data: {
        columns: [DATE_COLUMN, ...ids.map((id) => ({ title: variants.name(id), numeric: true, of: ({ allocations }) => share(allocations[id]) }))],
        rows: [...last].reverse(),
      },
    },
  ));
}

const revisedDates = (revisions) =>
  [...Map.groupBy(revisions, ({ date }) => date)].filter(([, some]) => some.length > 1).map(([date, some]) => ({ date: localTime(date), revisions: some.length }));

/** The expected loss of keeping each variant, by date. */
export function lossChart(variants, last, signal) {
  const { currency } = variants;
  const format = currency ? (loss) => perImpression(loss, currency) : rate;
  const axis = currency ? { title: `${currency} per impression` } : { title: "of the rate", axis: { format: ".2%" } };
  const known = (id, { expected_loss: losses }) => typeof losses[id] === "number";
  const ids = variants.ids.filter((id) => last.some((one) => known(id, one)));
  const values = last.flatMap((one) => ids.filter((id) => known(id, one)).map((id) => ({ date: localTime(one.date), variant: variants.name(id), value: one.expected_loss[id] })));
  const { colour, legend } = variants.series;
  return chart(
    "Expected loss of keeping each variant",
    {
      data: { values },
      mark: { type: "line", strokeWidth: 2, point: last.length < 3, tooltip: true },
      encoding: { x: dateAxis(last.map(({ date }) => date)), y: { field: "value", type: "quantitative", ...axis }, color: colour },
    },
    {
      summary: "How much lower than the best one a variant is expected to be." + variants.note,
      signal,
      legend,
      data: {
        columns: [DATE_COLUMN, ...ids.map((id) => ({ title: variants.name(id), numeric: true, of: (one) => format(one.expected_loss[id]) }))],
        rows: [...last].reverse(),
      },
    },
  );
}

/** The value remaining by date; null where no allocation has it. */
export function valueRemainingChart(last, signal) {
  const known = last.filter(({ value_remaining }) => value_remaining !== null);
  if (!known.length) return null;
  return chart(
    "Value remaining",
    {
      data: { values: known.map(({ date, value_remaining }) => ({ date: localTime(date), value: value_remaining })) },
      mark: { type: "line", point: known.length < 40, strokeWidth: 2 },
      encoding: { x: dateAxis(known.map(({ date }) => date)), y: { field: "value", type: "quantitative", title: "of the leader's rate", axis: { format: ".1%" } } },
    },
    {
      summary: `By how much another variant may still beat the leader, with 95 % probability; most recently ${percent(known.at(-1).value_remaining)}.`,
      signal,
      data: {
        columns: [DATE_COLUMN, { title: "Value remaining", numeric: true, of: ({ value_remaining }) => percent(value_remaining) }],
        rows: [...known].reverse(),
      },
    },
  );
}
