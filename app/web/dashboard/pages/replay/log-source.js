/** Which decisions policies are evaluated on: those of a log, or those of a tracked experiment. */

import { formField } from "../../components/forms/form.js";
import { h } from "../../dom.js";
import { logField } from "./log-field.js";

/**
 * Fields for the source of the decisions.
 *
 * @param {object[]} experiments - of GET /experiments, to choose a tracked one from
 * @param {URLSearchParams} query - may name the experiment and its dates
 * @returns `request()`: the request's body and its content type; `query()`: what a link has to contain
 */
export function logSource(experiments, query) {
  const log = logField();
  const tracked = experiments.filter(({ source }) => source === "tracked");
  const chosen = query.get("experiment");
  const source = formField({
    name: "source", label: "Source of the decisions", kind: "select", value: chosen ? "experiment" : "log",
    choices: [["log", "A decision log"], ["experiment", "A tracked experiment"]],
  });
  const own = [
    formField({ name: "experiment_id", label: "Experiment", value: chosen, placeholder: tracked[0]?.experiment_id, hint: "Its id. Each unit that was assigned at random and exposed is a decision, its conversion the reward." }),
    formField({ name: "since", label: "First exposed from", kind: "date", value: query.get("since") }),
    formField({ name: "until", label: "First exposed until", kind: "date", value: query.get("until") }),
  ];
  own[0].input.setAttribute("list", "tracked");
  const suggestions = h("datalist", { id: "tracked" }, tracked.map(({ experiment_id: id, name }) => h("option", { value: id }, name ?? id)));
  const fields = h("div", { class: "fields" }, own.map(({ element }) => element), suggestions);
  const byExperiment = () => source.value() === "experiment";
  const show = () => ((log.element.hidden = byExperiment()), (fields.hidden = !byExperiment()));
  source.input.addEventListener("change", show);
  show();
  const entered = () => Object.fromEntries(own.map(({ name, value }) => [name, value()]).filter(([, value]) => value !== null));
  return {
    element: h("fieldset", {}, h("legend", {}, "Decisions"), h("div", { class: "stack" }, h("div", { class: "fields" }, source.element), log.element, fields)),
    fields: () => (byExperiment() ? own : log.fields()),
    request: async () => (byExperiment() ? [JSON.stringify({ experiment_id: "", ...entered() }), "application/json"] : log.request()),
    query() {
      if (!byExperiment()) return {};
      const { experiment_id: experiment, ...dates } = entered();
      return { experiment, ...dates };
    },
  };
}
