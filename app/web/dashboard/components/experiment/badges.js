/** The state of an experiment and its active gates, as badges. */

import { h } from "../../dom.js";
import { day } from "../../format.js";

const STATES = { running: "Running", paused: "Paused", archived: "Archived" };

/** An experiment's state; a rollout is shown in place of "running". */
export function stateBadge(experiment) {
  if (experiment.state === "running" && experiment.rollout) return badge("Rolled out", "rolled");
  const title = `since ${day(experiment.state_since)}`;
  return badge(STATES[experiment.state], experiment.state, title);
}

const GATES = {
  no_data: ["No data yet", "waiting"],
  burn_in: ["Burn-in", "waiting"],
  incomplete_day: ["Incomplete day", "warning"],
  stale_data: ["Stale data", "warning"],
  no_revenue: ["Revenue missing", "warning"],
  invalid_totals: ["Impossible totals", "alarm"],
  srm: ["Sample ratio mismatch", "alarm"],
};

/** A badge for each active gate; states and rollouts have their own. */
export const gateBadges = (gates) =>
  gates.filter(({ gate }) => GATES[gate]).map(({ gate }) => badge(...GATES[gate], gate));

/** The short name of a gate. */
export const gateName = (gate) => GATES[gate]?.[0] ?? STATES[gate] ?? gate.replaceAll("_", " ");

const badge = (label, kind, title) => h("span", { class: `badge ${kind}`, title }, label);
