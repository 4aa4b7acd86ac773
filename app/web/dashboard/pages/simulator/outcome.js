/** What comes of a form: how far its run is, then its results, and whether they still belong to the form. */

import { sentence } from "../../components/states.js";
import { announce, h, replace } from "../../dom.js";
import { cancel, followed } from "./follow.js";
import { progressPanel } from "./progress.js";

const SHOW_AFTER = 150; // milliseconds: most runs are faster

/** A place for the results of a scenario (see page.js); `again` plays the form once more. */
export function outcomePanel(scenario, signal, again) {
  const old = h("p", { class: "notice warn old", role: "status", hidden: true });
  const element = h("div", { class: "stack outcome" }, scenario.empty);
  let shown = null;
  return {
    element,
    /** Wait for the answer that begins a run. */
    begin: (answer) => behind(h("section", { class: "panel progress", "aria-label": "Progress" }, h("p", { role: "status" }, "Playing…")), answer),
    /** Follow a run that the parameters `body` made, and show what comes of it. */
    async follow(run, body) {
      replace(element, scenario.waiting?.(run, signal));
      const panel = progressPanel(run, () => cancel(run.id));
      const told = (state, data) => {
        panel.show(state, data);
        if (data.standing) scenario.standing?.(data.standing);
      };
      const ended = await behind(panel.element, followed(run, told, signal));
      if (ended.state !== "done") return void replace(element, over(ended, again));
      replace(element, old, scenario.results(ended, signal));
      announce(scenario.headline(ended));
      shown = JSON.stringify(body);
    },
    /** Say whether the results are of these parameters. */
    compare(body) {
      const differs = shown !== null && shown !== JSON.stringify(body);
      old.hidden = !differs;
      old.textContent = differs ? "These results are old: they belong to other parameters than those above. Play again to renew them." : "";
      element.classList.toggle("stale", differs);
    },
    /** Say what went wrong. */
    fail(error) {
      if (error.name !== "AbortError") replace(element, h("p", { class: "notice bad", role: "alert" }, sentence(error)));
    },
  };

  /** Show something until a promise is kept, unless that is soon. */
  async function behind(panel, promise) {
    const waiting = setTimeout(() => element.prepend(panel), SHOW_AFTER);
    try {
      return await promise;
    } finally {
      clearTimeout(waiting);
      panel.remove();
    }
  }
}

/** A run that came to no result, with the next step. */
const over = ({ state, fault }, again) =>
  h(
    "div",
    { class: "empty", role: "alert" },
    h("p", {}, state === "failed" ? `It failed: ${fault}.` : "It was cancelled."),
    h("p", { class: "next" }, h("button", { type: "button", onclick: again }, "Play it again")),
  );
