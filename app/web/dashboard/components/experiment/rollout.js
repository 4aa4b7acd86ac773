/** Roll out the winner, with two confirmations, or undo that. */

import { post, remove } from "../../api.js";
import { h } from "../../dom.js";
import { percent } from "../../format.js";
import { attempt, confirm, dialog } from "../forms/dialog.js";
import { variantName, variantsById } from "./names.js";

/** The button that rolls out the leading variant, or undoes the rollout; null where neither makes sense. */
export function rolloutButton(experiment, allocation, done) {
  if (experiment.state !== "running") return null;
  const path = `/experiments/${experiment.experiment_id}/rollout`;
  if (experiment.rollout) {
    const name = variantName(variantsById(experiment)(experiment.rollout));
    return h("button", { type: "button", onclick: () => undo(path, name, done) }, "Undo the rollout…");
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
  const confirmed = await confirm(
    `Really give ${name} all traffic?`,
    `From today on every other variant of ${experiment.experiment_id} gets\u00a00\u00a0%. The rollout is recorded like every change, and can be undone.`,
    `Yes, roll out ${name}`,
    "danger",
  );
  if (confirmed) await attempt(() => post(path, { variant_id: chosen }), `${name} gets all traffic.`, done);
}

/** Ask which variant to roll out; the leading one is proposed. */
function choose(judged, variant) {
  const ranked = [...judged].sort((a, b) => b.p_best - a.p_best);
  return dialog("Roll out the winner", (close) => {
    const choice = h(
      "select",
      { id: "winner" },
      ranked.map((row) => h("option", { value: row.variant_id }, `${variantName(variant(row.variant_id))}: best with probability ${percent(row.p_best, 1)}`)),
    );
    return [
      h("label", { for: "winner" }, "Which variant should get all traffic?"),
      choice,
      h(
        "p",
        { class: "buttons" },
        h("button", { type: "button", onclick: () => close(null) }, "Cancel"),
        h("button", { type: "button", class: "primary", onclick: () => close(choice.value) }, "Continue"),
      ),
    ];
  });
}

async function undo(path, name, done) {
  const confirmed = await confirm("Undo the rollout?", `From today on the policy decides the shares again, in place of 100 % for ${name}.`, "Undo the rollout");
  if (confirmed) await attempt(() => remove(path), "The policy decides again.", done);
}
