/** The progress of a run, with a button to cancel it. */

import { attempt } from "../../components/forms/dialog.js";
import { h, uniqueId } from "../../dom.js";
import { percent } from "../../format.js";

/** A progress bar; `stop` cancels the run. */
export function progressPanel(stop) {
  const id = uniqueId("progress");
  const bar = h("progress", { id, max: 1, value: 0 });
  const label = h("label", { for: id }, "Waiting in the queue…");
  const button = h("button", { type: "button", onclick: () => attempt(stop, "The run is being cancelled.", () => {}) }, "Cancel");
  const element = h("section", { class: "panel progress", "aria-label": "Progress" }, h("div", {}, label, bar), button);
  return {
    element,
    show(state, { done, total }) {
      const part = total ? done / total : 0;
      bar.value = part;
      label.textContent = state === "queued" ? "Waiting in the queue…" : `Running: ${percent(part, 0)}`;
    },
  };
}
