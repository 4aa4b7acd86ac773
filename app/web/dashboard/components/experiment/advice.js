/** The advice of the stop rule, as a sentence. */

import { h } from "../../dom.js";
import { percent, perImpression, plural, probability, rate } from "../../format.js";

const RULES = {
  p_best: ({ figure: p }, name) => `${name} is the best variant with probability ${probability(p)}`,
  expected_loss: ({ figure: loss }, name, formatLoss) => `keeping ${name} has an expected loss of ${formatLoss(loss)} per impression`,
  value_remaining: ({ figure: remaining }, name) => `no other variant is likely to beat ${name} by more than ${percent(remaining)} of its rate`,
};
const THRESHOLDS = {
  p_best: (threshold) => `at least ${percent(threshold, 1)}`,
  expected_loss: (threshold, formatLoss) => `below ${formatLoss(threshold)}`,
  value_remaining: (threshold) => `below ${percent(threshold)}`,
};

/** The advice of an allocation as a sentence; where there is none, the reason. */
function adviceSentence({ stop_advice: advice, currency, gates }, name) {
  if (advice === null) return noAdvice(gates, name);
  const formatLoss = currency ? (amount) => perImpression(amount, currency) : rate;
  const finding = RULES[advice.rule](advice, name(advice.variant_id), formatLoss);
  const required = `the rule requires ${THRESHOLDS[advice.rule](advice.threshold, formatLoss)}`;
  if (advice.stop) return `Stop and keep ${name(advice.variant_id)}: ${finding}, and ${required}.`;
  if (advice.days < advice.minimum_days) {
    return `Continue: there are data of ${plural(advice.days, "day")}, at least ${advice.minimum_days} are required. So far ${finding}; ${required}.`;
  }
  return `Continue: ${finding}; ${required}.`;
}

function noAdvice(gates, name) {
  const gate = (wanted) => gates.find((one) => one.gate === wanted);
  if (gate("archived") || gate("paused")) return "None while the experiment is not running.";
  if (gate("rollout")) return `${name(gate("rollout").variant_id)} is rolled out: it gets all traffic, and nothing is left to decide until the rollout is undone.`;
  return "None yet: it needs data of at least two variants.";
}

/** The advice as a notice; the advice to stop stands out. */
export const adviceNotice = (allocation, name) =>
  h("p", { class: `notice ${allocation.stop_advice?.stop ? "good" : "calm"}` }, h("b", {}, "Advice "), adviceSentence(allocation, name));
