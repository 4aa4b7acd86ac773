/** A new experiment: its words, its variants, and how shares are to follow from the data. */

import { get, post } from "../api.js";
import { form, formField } from "../components/form.js";
import { go } from "../router.js";
import { h, announce } from "../dom.js";
import { settingsFields } from "../components/settings.js";
import { variantRows } from "../components/variants.js";

/** What the service takes where nothing is said. */
const START = {
  objective: "conversion", currency: null, policy: { kind: "thompson" }, min_share: 0, adjust: "none", maturity_days: 0,
  stale_after_days: 7, burn_in: { days: 1, impressions: 0, successes: 0 }, prior: { a: 1, b: 1 }, stop: { minimum_days: 14 },
  time_zone: "UTC", traffic: "sticky", late_conversions: false,
  holdout_percent: 0, assignment_mode: "sticky", refresh_minutes: 1440, reward_window_days: 30,
};

export async function show({ signal }) {
  const { items } = await get("/policies", { signal });
  const settings = settingsFields(START, items);
  const id = formField({ name: "experiment_id", label: "Id", required: true, placeholder: "homepage_test", hint: "What programs call it: letters, digits, dots, dashes and underscores." });
  const name = formField({ name: "name", label: "Name", placeholder: "Homepage headline", hint: "What people call it." });
  const description = formField({ name: "description", label: "Description", kind: "area", hint: "What is the question?" });
  const source = formField({
    name: "source", label: "Where its totals come from", kind: "select",
    choices: [["", "what is sent first decides"], ["reported", "daily totals that you send"], ["tracked", "events of assigned units"]],
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
    h("p", { class: "lead" }, "Only the id and its variants are needed. Everything else has a default and can be changed later; changes apply from that day on."),
    h("div", { class: "panel" }, form(content, fields, create, { button: "Create the experiment", more: [h("a", { class: "button", href: "#/" }, "Cancel")] })),
  ];

  async function create() {
    const words = { experiment_id: id.value() ?? "", name: name.value(), source: source.value(), description: description.value() };
    const made = await post("/experiments", { ...words, variants: variants.values(), ...withoutNothing(settings.values()) }, { signal });
    announce(`${made.experiment_id} was created.`);
    go(`experiments/${made.experiment_id}`);
  }
}

/** What was said: a field left empty takes the service's default, which its absence asks for. */
function withoutNothing(settings) {
  const said = Object.entries(settings).filter(([, value]) => value !== null);
  return Object.fromEntries(said.map(([name, value]) => [name, typeof value === "object" ? withoutNothing(value) : value]));
}
