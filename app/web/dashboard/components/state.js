/** Pause, resume, archive: each asked for once, each can be undone. */

import { patch } from "../api.js";
import { attempt, confirm } from "./dialog.js";
import { day } from "../format.js";
import { h } from "../dom.js";

const DEEDS = {
  paused: ["Pause", "The shares stay as they are today until it is resumed; data can still be sent.", "Paused."],
  running: ["Resume", "From today on the policy decides again.", "Running again."],
  archived: ["Archive", "The shares stay as they are, and it moves to the end of the list.", "Archived."],
};
const OFFERED = { running: ["paused", "archived"], paused: ["running", "archived"], archived: ["running"] };

/** The state of an experiment in a sentence, and the ways out of it. */
export function stateButtons(experiment, again) {
  const buttons = OFFERED[experiment.state].map((state) =>
    h("button", { type: "button", onclick: () => change(experiment, state, again) }, `${DEEDS[state][0]}…`),
  );
  return h(
    "section",
    { class: "panel panel-head", "aria-label": "State" },
    h("p", {}, h("b", {}, experiment.state === "running" ? "Running" : experiment.state === "paused" ? "Paused" : "Archived"), ` since ${day(experiment.state_since)}.`),
    h("p", { class: "buttons" }, buttons),
  );
}

async function change(experiment, state, again) {
  const [verb, meaning, said] = DEEDS[state];
  const sure = await confirm(`${verb} ${experiment.name ?? experiment.experiment_id}?`, meaning, verb);
  if (sure) await attempt(() => patch(`/experiments/${experiment.experiment_id}`, { state }), said, again);
}
