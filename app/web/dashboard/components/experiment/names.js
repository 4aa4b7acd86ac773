/** Display names of experiments and variants, beside their ids. */

import { h } from "../../dom.js";

/** A variant's name, or its id if it has none. */
export const variantName = (variant) => variant.name ?? variant.variant_id;

/** The experiment with names that differ: variants of the same name have their ids appended. */
export function withDistinctNames(experiment) {
  const names = Map.groupBy(experiment.variants, variantName);
  const distinct = (variant) => (names.get(variantName(variant)).length > 1 ? { ...variant, name: `${variantName(variant)} (${variant.variant_id})` } : variant);
  return { ...experiment, variants: experiment.variants.map(distinct) };
}

/** A name with the id beside it. */
export const nameWithId = (name, id) =>
  name && name !== id ? [h("span", { class: "name" }, name), " ", h("code", {}, id)] : h("span", { class: "name" }, id);

/** A function from an id to the experiment's variant, with its `index`; a deleted variant still has its id. */
export function variantsById(experiment) {
  const found = new Map(experiment.variants.map((variant, index) => [variant.variant_id, { ...variant, index }]));
  return (id) => found.get(id) ?? { variant_id: id, name: null, description: null, index: found.size };
}

/** The badge of the control in force: the marked variant, else the one named "control", else the first. */
export const controlBadge = (experiment, id) => id === experiment.control && h("span", { class: "badge" }, "control");
