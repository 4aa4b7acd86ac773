/** The variants of an experiment: add one, change its words, retire it or take that back, delete one never shown. */

import { patch, post, remove } from "../api.js";
import { attempt, confirm } from "./dialog.js";
import { day, todayIn } from "../format.js";
import { dot } from "./shares.js";
import { formDialog } from "./form-dialog.js";
import { h, announce } from "../dom.js";
import { named, variantName } from "./names.js";
import { table } from "./table.js";

/** A table of the variants with what can be done to each. */
export function variantsPanel(experiment, again) {
  const path = `/experiments/${experiment.experiment_id}/variants`;
  const rows = experiment.variants.map((variant, place) => ({ ...variant, place }));
  const byValue = experiment.objective === "value";
  return h(
    "section",
    { class: "panel membership", "aria-labelledby": "variants" },
    h(
      "div",
      { class: "panel-head" },
      h("h2", { id: "variants" }, "Variants"),
      h("button", { type: "button", onclick: () => add(path, byValue, again) }, "Add a variant…"),
    ),
    table(
      "Variants",
      [
        { title: "Variant", of: (row) => words(row, row.variant_id === experiment.control) },
        { title: "Since", of: ({ active_from }) => day(active_from) },
        { title: "Retired", of: ({ retired_on }) => (retired_on ? `from ${day(retired_on)}` : "no") },
        { title: "What to do", of: (row) => h("span", { class: "buttons" }, deeds(row, experiment, path, again)) },
      ],
      rows,
    ),
  );
}

const words = (variant, isControl) => [
  dot(variant.place),
  " ",
  named(variant.name, variant.variant_id),
  isControl && h("span", { class: "badge" }, "control"),
  variant.description && h("span", { class: "hint" }, variant.description),
];

function deeds(variant, experiment, path, again) {
  const own = `${path}/${variant.variant_id}`;
  const name = variantName(variant);
  const button = (word, deed) => h("button", { type: "button", class: "quiet", "aria-label": `${word} ${name}`, onclick: deed }, word);
  return [
    button("Edit", () => edit(variant, own, experiment, again)),
    variant.retired_on
      ? button("Bring back", () => attempt(() => patch(own, { retired_on: null }), `${name} is back.`, again))
      : button("Retire", () => retire(name, own, experiment.time_zone, again)),
    button("Delete", async () => {
      const sure = await confirm(`Delete ${name}?`, "Only a variant that was never shown can be deleted; one that was can be retired.", "Delete", "danger");
      if (sure) await attempt(() => remove(own), `${name} was deleted.`, again);
    }),
  ];
}

const COST = { name: "cost_per_impression", label: "Cost per impression", kind: "number", min: 0, hint: "In the experiment's currency." };

async function add(path, byValue, again) {
  const fields = [
    { name: "variant_id", label: "Id", required: true },
    { name: "name", label: "Name" },
    { name: "description", label: "Description", kind: "area" },
    ...(byValue ? [COST] : []),
  ];
  const made = await formDialog("Add a variant", "It joins the split from today on, in burn-in until it has shown enough.", fields, "Add it", (values) =>
    post(path, { ...said(values), variant_id: values.variant_id ?? "" }),
  );
  if (made) (announce(`${variantName(made)} was added.`), again());
}

const said = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

async function edit(variant, own, experiment, again) {
  const isControl = variant.variant_id === experiment.control;
  const fields = [
    { name: "name", label: "Name", value: variant.name },
    { name: "description", label: "Description", kind: "area", value: variant.description },
    ...(isControl ? [] : [{ name: "is_control", label: "It is the control", kind: "checkbox", value: variant.is_control }]),
    ...(experiment.objective === "value" ? [{ ...COST, value: variant.cost_per_impression }] : []),
  ];
  const done = await formDialog(`Edit ${variant.variant_id}`, null, fields, "Save", ({ is_control, ...values }) =>
    patch(own, is_control ? { ...values, is_control } : values),
  );
  if (done) (announce("Saved."), again());
}

async function retire(name, own, zone, again) {
  const today = todayIn(zone);
  const field = { name: "retired_on", label: "First day without traffic", kind: "date", value: today, hint: "Today or later." };
  const done = await formDialog(`Retire ${name}`, "It gets no traffic from that day on; its totals stay.", [field], "Retire it", (values) => patch(own, values));
  if (done) (announce(`${name} retires.`), again());
}
