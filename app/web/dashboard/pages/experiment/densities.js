/** The posterior densities of the variants' rates, as a chart. */

import { chart, legendOf, MAX_DRAWN, variantColour } from "../../components/charts/chart.js";
import { intervalText } from "../../components/charts/interval.js";
import { variantName, variantsById } from "../../components/experiment/names.js";
import { empty } from "../../components/placeholders.js";
import { plural, rate } from "../../format.js";

/** A chart of the densities; of many variants the likeliest are drawn, and of variants without impressions none. */
export function densities(experiment, { curves }, allocation, signal) {
  const variant = variantsById(experiment);
  const name = (id) => variantName(variant(id));
  const tried = allocation.variants.filter(({ impressions }) => impressions > 0);
  if (!tried.length) return empty("No variant that takes part has data yet.");
  const likeliest = new Set([...tried].sort((a, b) => b.p_best - a.p_best).slice(0, MAX_DRAWN).map(({ variant_id }) => variant_id));
  const drawn = curves.filter(({ variant_id }) => likeliest.has(variant_id));
  const values = drawn.flatMap(({ variant_id, rate, density }) =>
    rate.map((x, i) => ({ variant: name(variant_id), rate: x, density: density[i] })),
  );
  const best = tried.reduce((a, b) => (b.mean > a.mean ? b : a));
  const names = experiment.variants.map(variantName);
  return chart(
    "Posterior density of each rate",
    {
      data: { values },
      mark: { type: "area", opacity: 0.28, line: { strokeWidth: 2 }, interpolate: "monotone" },
      encoding: {
        x: { field: "rate", type: "quantitative", title: "rate", axis: { format: ".1%" }, scale: { zero: false, nice: false } },
        y: { field: "density", type: "quantitative", title: null, axis: null, stack: null },
        color: variantColour(names),
      },
    },
    {
      summary: `Posterior densities of ${drawn.length < curves.length ? `the ${drawn.length} likeliest of ` : ""}${plural(curves.length, "variant")}; ${name(best.variant_id)} has the highest mean, ${rate(best.mean)}.`,
      signal,
      legend: legendOf(names, drawn.map(({ variant_id }) => name(variant_id))),
      data: {
        columns: [
          { title: "Variant", of: (row) => name(row.variant_id) },
          { title: "Mean", numeric: true, of: (row) => rate(row.mean) },
          { title: "95 % interval", of: (row) => intervalText(row.interval_95) },
        ],
        rows: tried.length > MAX_DRAWN ? [...tried].sort((a, b) => b.share - a.share) : tried,
      },
    },
  );
}
