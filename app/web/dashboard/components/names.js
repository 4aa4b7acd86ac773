/** What people call things, beside the ids that the API knows them by. */

import { h } from "../dom.js";

/** A variant's name, or its id where it has none. */
export const variantName = (variant) => variant.name ?? variant.variant_id;

/** An experiment in which every variant has a name of its own: where two have the same, each has its id behind it. */
export function distinct(experiment) {
  const names = Map.groupBy(experiment.variants, variantName);
  const own = (variant) => (names.get(variantName(variant)).length > 1 ? { ...variant, name: `${variantName(variant)} (${variant.variant_id})` } : variant);
  return { ...experiment, variants: experiment.variants.map(own) };
}

/** A name with its id beside it. */
export const named = (name, id) =>
  name && name !== id ? [h("span", { class: "name" }, name), " ", h("code", {}, id)] : h("span", { class: "name" }, id);

/** Ask for a variant of an experiment by its id; one that is gone still has its id. */
export function variantsById(experiment) {
  const found = new Map(experiment.variants.map((variant, place) => [variant.variant_id, { ...variant, place }]));
  return (id) => found.get(id) ?? { variant_id: id, name: null, description: null, place: found.size };
}
