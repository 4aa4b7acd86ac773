/** The delay of an experiment's conversions, as a chart: which part has come how many days later. */

import { chart } from "../../components/charts/chart.js";
import { intervalText } from "../../components/charts/interval.js";
import { count, NONE, percent, plural } from "../../format.js";

const ALL = "all variants together";
const GIVEN = "the curve that is set";
const COMMON = "gray"; // beside the variants' own colours, on light and dark

/** GET /experiments/{id}/delay as a chart: the estimate with its interval, each variant's own, a curve that is set; null where all conversions come at once. */
export function delayChart(variants, report, signal) {
  const { estimate, curve } = report;
  const ids = variants.ids.filter((id) => report.variants[id]);
  const ages = Math.max(curve.length, estimate?.curve.length ?? 0, ...ids.map((id) => report.variants[id].curve.length));
  if (ages < 2) return null;
  const rows = Array.from({ length: ages }, (_, age) => ({ age }));
  const line = (of, variant) => rows.map(({ age }) => ({ age, variant, fraction: reached(of, age) }));
  const x = { field: "age", type: "quantitative", title: "days after the impression", axis: { tickMinStep: 1, format: "d" }, scale: { nice: false } };
  const y = { type: "quantitative", title: "of the conversions have come", axis: { format: ".0%" }, scale: { domain: [0, 1] } };
  const { colour, legend } = variants.series;
  const drawn = ids.map((id) => legend[variants.ids.indexOf(id)]);
  const mark = (more) => ({ type: "line", tooltip: true, point: ages < 12, ...more });
  return chart(
    "Delay of conversions",
    {
      encoding: { x },
      layer: [
        estimate && {
          data: { values: rows.map(({ age }) => ({ age, low: reached(estimate.low, age), high: reached(estimate.high, age) })) },
          mark: { type: "area", opacity: 0.25, color: COMMON },
          encoding: { y: { ...y, field: "low" }, y2: { field: "high" } },
        },
        ids.length > 0 && { data: { values: ids.flatMap((id) => line(report.variants[id].curve, variants.name(id))) }, mark: mark({ strokeWidth: 1.6 }), encoding: { y: { ...y, field: "fraction" }, color: colour } },
        estimate && { data: { values: line(estimate.curve, ALL) }, mark: mark({ strokeWidth: 3, color: COMMON, point: false }), encoding: { y: { ...y, field: "fraction" } } },
        report.kind === "curve" && { data: { values: line(curve, GIVEN) }, mark: mark({ strokeWidth: 2, strokeDash: [5, 4], color: COMMON, point: false }), encoding: { y: { ...y, field: "fraction" } } },
      ].filter(Boolean),
    },
    {
      summary: summary(report) + variants.note,
      signal,
      legend: [
        ...(estimate ? [{ label: `${ALL}, with the 95 % interval`, colour: COMMON, kind: "line" }] : []),
        ...(report.kind === "curve" ? [{ label: GIVEN, colour: "transparent", kind: "dashed" }] : []),
        ...drawn,
      ],
      data: { columns: columns(variants, report, ids), rows },
    },
  );
}

/** The fraction at an age; from a curve's last age on all have come. */
const reached = (curve, age) => curve[age] ?? 1;

const USES = {
  none: "The estimate is not used: conversions count as they come (delay: none).",
  curve: "Impressions count by the curve that is set.",
};

function summary({ kind, curve, estimate, differs }) {
  const first = (of) => `${percent(of[0], 1)} of the conversions come on the day itself, all within ${plural(of.length - 1, "day")}.`;
  const found = estimate ? first(estimate.curve) : "The data do not say yet: no day was reported twice.";
  const use = USES[kind] ?? (curve.length > 1 ? "Impressions count as far as their conversions have come." : "");
  return `${found} ${use}${differs ? " The variants' delays differ: each one's own curve is used." : ""}`;
}

const columns = (variants, { kind, curve, estimate, variants: own }, ids) =>
  [
    { title: "Days later", of: ({ age }) => age },
    kind === "curve" && { title: "Set", numeric: true, of: ({ age }) => percent(reached(curve, age), 1) },
    estimate && { title: "Have come", numeric: true, of: ({ age }) => percent(reached(estimate.curve, age), 1) },
    estimate && { title: "95 % interval", of: ({ age }) => (age in estimate.curve ? intervalText([estimate.low[age], estimate.high[age]], (value) => percent(value, 1)) : NONE) },
    estimate && { title: "Came then", numeric: true, of: ({ age }) => count(estimate.came[age]) },
    estimate && { title: "Seen among", numeric: true, of: ({ age }) => count(estimate.seen_among[age]) },
    ...ids.map((id) => ({ title: variants.name(id), numeric: true, of: ({ age }) => percent(reached(own[id].curve, age), 1) })),
  ].filter(Boolean);
