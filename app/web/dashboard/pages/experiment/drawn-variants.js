/** Which variants the charts of an experiment's history draw, under which names and in which colours. */

import { legendOf, MAX_DRAWN, variantColour } from "../../components/charts/chart.js";
import { variantName, variantsById } from "../../components/experiment/names.js";
import { plural } from "../../format.js";
import { lastOfEachDate } from "./daily-series.js";

/** The name of what is not drawn by itself. */
export const OTHERS = "all others";

/** All variants, or of many those with the largest shares; each has one name and one colour in every chart. */
export class DrawnVariants {
  constructor(experiment, revisions, totals) {
    this.currency = experiment.currency;
    const variant = variantsById(experiment);
    this.name = (id) => variantName(variant(id));
    this.names = experiment.variants.map(variantName);
    this.ids = largest(experiment, revisions, totals);
    this.isPart = this.ids.length < this.names.length;
    this.note = this.isPart ? ` ${this.ids.length} of ${plural(this.names.length, "variant")} are drawn; the CSV has all.` : "";
  }

  has(id) {
    return this.ids.includes(id);
  }

  /** The colour channel and the legend of a chart with a series per variant. */
  get series() {
    return { colour: variantColour(this.names), legend: legendOf(this.names, this.ids.map(this.name)) };
  }

  /** The same for a chart of parts of a whole, where all others are a series too. */
  get parts() {
    const names = [...this.names, OTHERS];
    return { colour: variantColour(names), legend: legendOf(names, [...this.ids.map(this.name), ...(this.isPart ? [OTHERS] : [])]) };
  }
}

/** The ids to draw, in the order of registration: of the largest shares, or if there are none, the most impressions. */
function largest(experiment, revisions, totals) {
  const ids = experiment.variants.map(({ variant_id }) => variant_id);
  if (ids.length <= MAX_DRAWN) return ids;
  const last = lastOfEachDate(revisions).at(-1)?.allocations;
  const weight = new Map(last ? Object.entries(last) : totals.map(({ variant_id, impressions }) => [variant_id, impressions]));
  const chosen = new Set([...ids].sort((a, b) => (weight.get(b) ?? 0) - (weight.get(a) ?? 0)).slice(0, MAX_DRAWN));
  return ids.filter((id) => chosen.has(id));
}
