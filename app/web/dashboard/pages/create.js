/** Creates an experiment: its names, its variants, and how its shares are decided. */

import { go } from "../addresses.js";
import { get, post } from "../api.js";
import { form, formField } from "../components/forms/form.js";
import { settingsFields } from "../components/settings/settings-fields.js";
import { variantRows } from "../components/settings/variant-rows.js";
import { h, announce } from "../dom.js";

/** The service's defaults. */
const DEFAULTS = {
  cadence: "day", objective: "conversion", currency: null, policy: { kind: "thompson" }, min_share: 0, adjust: "none", maturity_days: 0, delay: { kind: "auto" },
  stale_after_days: 7, burn_in: { days: 1, impressions: 0, successes: 0 }, prior: { a: 1, b: 1 }, stop: { minimum_days: 14 },
  time_zone: "UTC", traffic: "sticky", late_conversions: false,
  holdout_percent: 0, assignment_mode: "sticky", refresh_minutes: 1440, reward_window_days: 30,
};

export async function show({ signal }) {
  const { items } = await get("/policies", { signal });
  const settings = settingsFields(DEFAULTS, items);
  const id = formField({ name: "experiment_id", label: "Id", required: true, placeholder: "homepage_test", hint: "Its name in the API: letters, digits, dots, dashes and underscores." });
  const name = formField({ name: "name", label: "Name", placeholder: "Homepage headline", hint: "Its name for people." });
  const description = formField({ name: "description", label: "Description", kind: "area", hint: "What question does it answer?" });
  const source = formField({
    name: "source", label: "Source of the totals", kind: "select",
    choices: [["", "decided by what is sent first"], ["reported", "daily totals that you send"], ["tracked", "events of assigned units"]],
  });
  const variants = variantRows(["control", ""]);
  const content = [
    h("fieldset", {}, h("legend", {}, "The question"), h("div", { class: "fields" }, [id, name, source, description].map(({ element }) => element))),
    variants.element,
    settings.element,
  ];
  const fields = () => [id, name, source, description, ...variants.fields(), ...settings.fields()];
  return [
    h("h1", {}, "New experiment"),
    h("p", { class: "lead" }, "Only the id and the variants are required. Everything else has a default and can be changed later; a change applies from that day on."),
    h("div", { class: "panel" }, form(content, fields, create, { button: "Create the experiment", more: [h("a", { class: "button", href: "#/" }, "Cancel")] })),
  ];

  async function create() {
    const names = { experiment_id: id.value() ?? "", name: name.value(), source: source.value(), description: description.value() };
    const created = await post("/experiments", { ...names, variants: variants.values(), ...withoutNulls(settings.values()) }, { signal });
    announce(`${created.experiment_id} was created.`);
    go(`experiments/${created.experiment_id}`);
  }
}

/** The settings that were entered: a field left empty is omitted, so that the service's default applies. */
function withoutNulls(settings) {
  const entered = Object.entries(settings).filter(([, value]) => value !== null);
  return Object.fromEntries(entered.map(([name, value]) => [name, typeof value === "object" && !Array.isArray(value) ? withoutNulls(value) : value]));
}
