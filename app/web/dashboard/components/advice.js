/** What the stop rule says, in a sentence. */

import { h } from "../dom.js";
import { figure, percent, plural } from "../format.js";

const RULES = {
  p_best: ({ figure: p }, name) => `${name} is the best variant with probability ${percent(p, 1)}`,
  expected_loss: ({ figure: loss }, name) => `keeping ${name} is expected to lose ${figure(loss)}`,
  value_remaining: ({ figure: rest }, name) => `no other variant is likely to beat ${name} by more than ${percent(rest)} of its rate`,
};
const LIMITS = {
  p_best: (threshold) => `at least ${percent(threshold, 1)}`,
  expected_loss: (threshold) => `below ${figure(threshold)}`,
  value_remaining: (threshold) => `below ${percent(threshold)}`,
};

/** The advice as a sentence; without anything to compare, why there is none. */
export function adviceSentence(advice, name) {
  if (advice === null) return "No advice yet: it needs data of at least two variants, and a running experiment.";
  const known = RULES[advice.rule](advice, name(advice.variant_id));
  const limit = `the rule asks for ${LIMITS[advice.rule](advice.threshold)}`;
  if (advice.stop) return `Stop and keep ${name(advice.variant_id)}: ${known}, and ${limit}.`;
  if (advice.days < advice.minimum_days) {
    return `Go on: ${plural(advice.days, "day")} of at least ${advice.minimum_days} are in. So far ${known}; ${limit}.`;
  }
  return `Go on: ${known}; ${limit}.`;
}

/** The advice as a notice; good news stands out. */
export const adviceNotice = (advice, name) =>
  h("p", { class: `notice ${advice?.stop ? "good" : "calm"}` }, h("b", {}, "Advice "), adviceSentence(advice, name));
