/** The run of a form: its progress, then its results, and whether they still belong to the form's parameters. */

import { sentence } from "../../components/placeholders.js";
import { announce, h, replace } from "../../dom.js";
import { progressPanel } from "./progress-panel.js";
import { cancel, follow } from "./run-stream.js";

const SHOW_AFTER = 150; // milliseconds: most runs are faster

/** A panel for the run of a scenario (see page.js); `rerun` submits the form again. */
export function runPanel(scenario, signal, rerun) {
  const outdated = h("p", { class: "notice warn outdated", role: "status", hidden: true });
  const element = h("div", { class: "stack run" }, scenario.empty);
  let shown = null;
  return {
    element,
    /** Wait for the response that starts a run. */
    begin: (response) => showMeanwhile(h("section", { class: "panel progress", "aria-label": "Progress" }, h("p", { role: "status" }, "Running…")), response),
    /** Follow the run with the parameters `body`, and show its results. */
    async follow(run, body) {
      replace(element, scenario.live?.show(run, signal));
      const panel = progressPanel(() => cancel(run.id));
      const onEvent = (state, data) => {
        panel.show(state, data);
        if (data.standing) scenario.live?.update(data.standing);
      };
      const ended = await showMeanwhile(panel.element, follow(run, onEvent, signal));
      if (ended.state !== "done") return void replace(element, withoutResult(ended, rerun));
      replace(element, outdated, scenario.results(ended, signal));
      announce(scenario.headline(ended));
      shown = JSON.stringify(body);
    },
    /** Show whether the results are those of these parameters. */
    compare(body) {
      const differs = shown !== null && shown !== JSON.stringify(body);
      outdated.hidden = !differs;
      outdated.textContent = differs ? "These results are outdated: they are those of other parameters than the ones above. Run the simulation again to update them." : "";
      element.classList.toggle("stale", differs);
    },
    /** Show an error in place of the results. */
    fail(error) {
      if (error.name !== "AbortError") replace(element, h("p", { class: "notice bad", role: "alert" }, sentence(error)));
    },
  };

  /** Show a panel until a promise is settled, unless that is soon. */
  async function showMeanwhile(panel, promise) {
    const timer = setTimeout(() => element.prepend(panel), SHOW_AFTER);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      panel.remove();
    }
  }
}

/** A run that has no result, with the next step. */
const withoutResult = (ended, rerun) =>
  h(
    "div",
    { class: "empty", role: "alert" },
    h("p", {}, reasonOf(ended)),
    h("p", { class: "next" }, h("button", { type: "button", onclick: rerun }, "Run it again")),
  );

/** Why a run has no result. */
export const reasonOf = ({ state, fault }) => (state === "failed" ? `The run failed: ${fault}.` : "The run was cancelled.");
