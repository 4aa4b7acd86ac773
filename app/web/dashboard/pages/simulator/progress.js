/** How far a run is, and a way to stop it. */

import { attempt } from "../../components/dialog.js";
import { h, uniqueId } from "../../dom.js";
import { percent } from "../../format.js";

/** A progress bar for a run; `stop` cancels it. */
export function progressPanel(run, stop) {
  const id = uniqueId("progress");
  const bar = h("progress", { id, max: 1, value: 0 });
  const words = h("label", { for: id }, "Waiting for its turn…");
  const button = h("button", { type: "button", onclick: () => attempt(stop, "It is being cancelled.", () => {}) }, "Cancel");
  const element = h("section", { class: "panel progress", "aria-label": "Progress" }, h("div", {}, words, bar), button);
  return {
    element,
    show(state, { done, total }) {
      const part = total ? done / total : 0;
      bar.value = part;
      words.textContent = state === "queued" ? "Waiting for its turn…" : `Playing: ${percent(part, 0)}`;
    },
  };
}
