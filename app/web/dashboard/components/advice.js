/** What the stop rule says, in a sentence. */

import { h } from "../dom.js";
import { percent, perImpression, plural, probability, rate } from "../format.js";

const RULES = {
  p_best: ({ figure: p }, name) => `${name} is the best variant with probability ${probability(p)}`,
  expected_loss: ({ figure: loss }, name, lost) => `keeping ${name} is expected to lose ${lost(loss)} per impression`,
  value_remaining: ({ figure: rest }, name) => `no other variant is likely to beat ${name} by more than ${percent(rest)} of its rate`,
};
const LIMITS = {
  p_best: (threshold) => `at least ${percent(threshold, 1)}`,
  expected_loss: (threshold, lost) => `below ${lost(threshold)}`,
  value_remaining: (threshold) => `below ${percent(threshold)}`,
};

/** The advice of an allocation as a sentence; without anything to compare, why there is none. */
export function adviceSentence({ stop_advice: advice, currency }, name) {
  if (advice === null) return "No advice yet: it needs data of at least two variants, and a running experiment.";
  const lost = currency ? (amount) => perImpression(amount, currency) : rate;
  const known = RULES[advice.rule](advice, name(advice.variant_id), lost);
  const limit = `the rule asks for ${LIMITS[advice.rule](advice.threshold, lost)}`;
  if (advice.stop) return `Stop and keep ${name(advice.variant_id)}: ${known}, and ${limit}.`;
  if (advice.days < advice.minimum_days) {
    return `Go on: ${plural(advice.days, "day")} of at least ${advice.minimum_days} are in. So far ${known}; ${limit}.`;
  }
  return `Go on: ${known}; ${limit}.`;
}

/** The advice as a notice; good news stands out. */
export const adviceNotice = (allocation, name) =>
  h("p", { class: `notice ${allocation.stop_advice?.stop ? "good" : "calm"}` }, h("b", {}, "Advice "), adviceSentence(allocation, name));
