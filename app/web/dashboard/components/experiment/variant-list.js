/** The variants of an experiment: add, edit, retire and reactivate them, delete one that was never shown. */

import { patch, post, remove } from "../../api.js";
import { h, announce } from "../../dom.js";
import { day, todayIn } from "../../format.js";
import { table } from "../data/table.js";
import { attempt, confirm } from "../forms/dialog.js";
import { formDialog } from "../forms/form-dialog.js";
import { controlBadge, nameWithId, variantName } from "./names.js";
import { dot } from "./share-bar.js";

/** A table of the variants with the actions on each. */
export function variantsPanel(experiment, done) {
  const path = `/experiments/${experiment.experiment_id}/variants`;
  const rows = experiment.variants.map((variant, index) => ({ ...variant, index }));
  const byValue = experiment.objective === "value";
  return h(
    "section",
    { class: "panel variant-list", "aria-labelledby": "variants" },
    h(
      "div",
      { class: "panel-head" },
      h("h2", { id: "variants" }, "Variants"),
      h("button", { type: "button", onclick: () => add(path, byValue, done) }, "Add a variant…"),
    ),
    table(
      "Variants",
      [
        { title: "Variant", of: (row) => described(row, experiment) },
        { title: "Active from", of: ({ active_from }) => day(active_from) },
        { title: "Retired", of: ({ retired_on }) => (retired_on ? `from ${day(retired_on)}` : "no") },
        { title: "Actions", of: (row) => h("span", { class: "buttons" }, actions(row, experiment, path, done)) },
      ],
      rows,
    ),
  );
}

const described = (variant, experiment) => [
  dot(variant.index),
  " ",
  nameWithId(variant.name, variant.variant_id),
  controlBadge(experiment, variant.variant_id),
  variant.description && h("span", { class: "hint" }, variant.description),
];

function actions(variant, experiment, path, done) {
  const own = `${path}/${variant.variant_id}`;
  const name = variantName(variant);
  const button = (verb, action) => h("button", { type: "button", class: "quiet", "aria-label": `${verb} ${name}`, onclick: action }, verb);
  return [
    button("Edit", () => edit(variant, own, experiment, done)),
    variant.retired_on
      ? button("Reactivate", () => attempt(() => patch(own, { retired_on: null }), `${name} is active again.`, done))
      : button("Retire", () => retire(name, own, experiment.time_zone, done)),
    button("Delete", async () => {
      const confirmed = await confirm(`Delete ${name}?`, "Only a variant that was never shown can be deleted; one that was shown can be retired.", "Delete", "danger");
      if (confirmed) await attempt(() => remove(own), `${name} was deleted.`, done);
    }),
  ];
}

const COST = { name: "cost_per_impression", label: "Cost per impression", kind: "number", min: 0, hint: "In the experiment's currency." };

async function add(path, byValue, done) {
  const fields = [
    { name: "variant_id", label: "Id", required: true },
    { name: "name", label: "Name" },
    { name: "description", label: "Description", kind: "area" },
    ...(byValue ? [COST] : []),
  ];
  const created = await formDialog("Add a variant", "It joins the split from today on, in burn-in until it has enough data.", fields, "Add it", (values) =>
    post(path, { ...withoutNulls(values), variant_id: values.variant_id ?? "" }),
  );
  if (created) (announce(`${variantName(created)} was added.`), done());
}

const withoutNulls = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

async function edit(variant, own, experiment, done) {
  const isControl = variant.variant_id === experiment.control;
  const fields = [
    { name: "name", label: "Name", value: variant.name },
    { name: "description", label: "Description", kind: "area", value: variant.description },
    ...(isControl ? [] : [{ name: "is_control", label: "Make it the control", kind: "checkbox", value: variant.is_control }]),
    ...(experiment.objective === "value" ? [{ ...COST, value: variant.cost_per_impression }] : []),
  ];
  const saved = await formDialog(`Edit ${variant.variant_id}`, isControl ? "It is the control: to change that, make another variant the control." : null, fields, "Save", ({ is_control, ...values }) =>
    patch(own, is_control ? { ...values, is_control } : values),
  );
  if (saved) (announce("Saved."), done());
}

async function retire(name, own, zone, done) {
  const today = todayIn(zone);
  const field = { name: "retired_on", label: "First day without traffic", kind: "date", value: today, hint: "Today or later." };
  const saved = await formDialog(`Retire ${name}`, "It gets no traffic from that day on; its totals stay.", [field], "Retire it", (values) => patch(own, values));
  if (saved) (announce(`${name} will be retired.`), done());
}
