/** Every variant compared with the control. */

import { MAX_DRAWN } from "../../components/charts/chart.js";
import { table } from "../../components/data/table.js";
import { variantName, variantsById } from "../../components/experiment/names.js";
import { dot } from "../../components/experiment/share-bar.js";
import { h } from "../../dom.js";
import { NONE, perImpression, points, probability, signedPercent } from "../../format.js";

/** GET /experiments/{id}/comparison as a panel; what involves a variant without impressions is left out. */
export function againstControl(experiment, allocation, comparison) {
  const variant = variantsById(experiment);
  const tried = new Set(allocation.variants.filter(({ impressions }) => impressions > 0).map(({ variant_id }) => variant_id));
  if (!comparison.control) return nothingToCompare("The control takes no part today: there is nothing to compare with.");
  if (allocation.data_through && !tried.has(comparison.control)) return nothingToCompare("The control has no data yet: there is nothing to compare with.");
  const byValue = allocation.objective === "value";
  const difference = byValue ? (amount) => perImpression(amount, allocation.currency, true) : points;
  const estimate = (title, of) => ({ title, numeric: true, of: (row) => (tried.has(row.variant_id) ? of(row) : NONE) });
  const rows = comparison.variants.length > MAX_DRAWN ? [...comparison.variants].sort((a, b) => b.difference - a.difference) : comparison.variants;
  return h(
    "section",
    { class: "panel wide", "aria-labelledby": "control" },
    h("h3", { id: "control" }, `Against the control: ${variantName(variant(comparison.control))}`),
    table(
      "Every variant against the control",
      [
        { title: "Variant", of: (row) => [dot(variant(row.variant_id).index), " ", variantName(variant(row.variant_id))] },
        estimate(byValue ? "Difference per impression" : "Difference, percentage points", (row) => difference(row.difference)),
        estimate("Relative difference", (row) => signedPercent(row.relative)),
        estimate("P(better)", (row) => h("b", {}, probability(row.p_better))),
      ],
      rows,
    ),
  );
}

const nothingToCompare = (reason) => h("section", { class: "panel wide" }, h("h3", {}, "Against the control"), h("p", { class: "hint" }, reason));
