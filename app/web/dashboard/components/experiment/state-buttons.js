/** Pause, resume, archive: each with one confirmation, and each can be undone. */

import { patch } from "../../api.js";
import { h } from "../../dom.js";
import { day } from "../../format.js";
import { attempt, confirm } from "../forms/dialog.js";

const ACTIONS = {
  paused: ["Pause", "The shares stay as they are today until the experiment is resumed; data can still be sent.", "Paused."],
  running: ["Resume", "From today on the policy decides again.", "Running again."],
  archived: ["Archive", "The shares stay as they are, and the experiment moves to the end of the list.", "Archived."],
};
const NEXT_STATES = { running: ["paused", "archived"], paused: ["running", "archived"], archived: ["running"] };
const LABELS = { running: "Running", paused: "Paused", archived: "Archived" };

/** The state of an experiment as a sentence, and buttons to change it. */
export function stateButtons(experiment, done) {
  const buttons = NEXT_STATES[experiment.state].map((state) =>
    h("button", { type: "button", onclick: () => change(experiment, state, done) }, `${ACTIONS[state][0]}…`),
  );
  return h(
    "section",
    { class: "panel panel-head", "aria-label": "State" },
    h("p", {}, h("b", {}, LABELS[experiment.state]), ` since ${day(experiment.state_since)}.`),
    h("p", { class: "buttons" }, buttons),
  );
}

async function change(experiment, state, done) {
  const [verb, effect, message] = ACTIONS[state];
  const confirmed = await confirm(`${verb} ${experiment.name ?? experiment.experiment_id}?`, effect, verb);
  if (confirmed) await attempt(() => patch(`/experiments/${experiment.experiment_id}`, { state }), message, done);
}
