/** Whose decisions are judged: those of a log, or those of a tracked experiment, whose units are its log. */

import { formField } from "../../components/form.js";
import { h } from "../../dom.js";
import { logField } from "./log-field.js";

/**
 * Fields for the decisions.
 *
 * @param {object[]} experiments - of GET /experiments, to choose a tracked one from
 * @param {URLSearchParams} query - may name the experiment and its days
 * @returns `sent()`: what to send and of which type; `named()`: what a link should say of it
 */
export function decisions(experiments, query) {
  const log = logField();
  const tracked = experiments.filter(({ source }) => source === "tracked");
  const asked = query.get("experiment");
  const source = formField({
    name: "source", label: "Whose decisions", kind: "select", value: asked ? "experiment" : "log",
    choices: [["log", "Those of a log"], ["experiment", "Those of a tracked experiment"]],
  });
  const own = [
    formField({ name: "experiment_id", label: "Experiment", value: asked, placeholder: tracked[0]?.experiment_id, hint: "Its id. Each unit that was drawn and exposed is a decision, its conversion the reward." }),
    formField({ name: "since", label: "First exposed from", kind: "date", value: query.get("since") }),
    formField({ name: "until", label: "First exposed until", kind: "date", value: query.get("until") }),
  ];
  own[0].input.setAttribute("list", "tracked");
  const known = h("datalist", { id: "tracked" }, tracked.map(({ experiment_id: id, name }) => h("option", { value: id }, name ?? id)));
  const fields = h("div", { class: "fields" }, own.map(({ element }) => element), known);
  const byExperiment = () => source.value() === "experiment";
  const show = () => ((log.element.hidden = byExperiment()), (fields.hidden = !byExperiment()));
  source.input.addEventListener("change", show);
  show();
  const entered = () => Object.fromEntries(own.map(({ name, value }) => [name, value()]).filter(([, value]) => value !== null));
  return {
    element: h("fieldset", {}, h("legend", {}, "Decisions"), h("div", { class: "stack" }, h("div", { class: "fields" }, source.element), log.element, fields)),
    fields: () => (byExperiment() ? own : log.fields()),
    sent: async () => (byExperiment() ? [JSON.stringify({ experiment_id: "", ...entered() }), "application/json"] : log.sent()),
    named() {
      if (!byExperiment()) return {};
      const { experiment_id: experiment, ...days } = entered();
      return { experiment, ...days };
    },
  };
}
