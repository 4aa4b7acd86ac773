/** Give the winner everything, after asking twice; and take it back. */

import { post, remove } from "../api.js";
import { attempt, confirm, dialog } from "./dialog.js";
import { h } from "../dom.js";
import { percent } from "../format.js";
import { variantName, variantsById } from "./names.js";

/** The button that rolls out the leading variant, or undoes the rollout; nothing where neither makes sense. */
export function rolloutButton(experiment, allocation, done) {
  if (experiment.state !== "running") return null;
  const path = `/experiments/${experiment.experiment_id}/rollout`;
  if (experiment.rollout) {
    const name = variantName(variantsById(experiment)(experiment.rollout));
    return h("button", { type: "button", onclick: () => undo(path, name, done) }, "Undo the rollout");
  }
  const judged = allocation.variants.filter(({ p_best }) => p_best !== null);
  if (!allocation.data_through || !judged.length) return null;
  return h("button", { type: "button", onclick: () => rollOut(experiment, judged, path, done) }, "Roll out the winner…");
}

async function rollOut(experiment, judged, path, done) {
  const variant = variantsById(experiment);
  const chosen = await choose(judged, variant);
  if (!chosen) return;
  const name = variantName(variant(chosen));
  const sure = await confirm(
    `Really give ${name} all traffic?`,
    `From today on every other variant of ${experiment.experiment_id} gets\u00a00\u00a0%. It is recorded like every change, and can be undone.`,
    `Yes, give ${name} everything`,
    "danger",
  );
  if (sure) await attempt(() => post(path, { variant_id: chosen }), `${name} gets all traffic.`, done);
}

/** Ask which variant: the leading one is proposed. */
function choose(judged, variant) {
  const ranked = [...judged].sort((a, b) => b.p_best - a.p_best);
  return dialog("Roll out the winner", (close) => {
    const choice = h(
      "select",
      { id: "winner" },
      ranked.map((row) => h("option", { value: row.variant_id }, `${variantName(variant(row.variant_id))}: best with probability ${percent(row.p_best, 1)}`)),
    );
    return [
      h("label", { for: "winner" }, "Which variant gets all traffic?"),
      choice,
      h(
        "p",
        { class: "buttons" },
        h("button", { type: "button", onclick: () => close(null) }, "Cancel"),
        h("button", { type: "button", class: "primary", onclick: () => close(choice.value) }, "Go on"),
      ),
    ];
  });
}

async function undo(path, name, done) {
  const sure = await confirm("Undo the rollout?", `From today on the policy decides again, and no longer ${name} alone.`, "Let the policy decide");
  if (sure) await attempt(() => remove(path), "The policy decides again.", done);
}
