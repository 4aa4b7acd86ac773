/** The fields of an experiment's settings, to create and to change it. */

import { h } from "../../dom.js";
import { FieldErrors, formField } from "../forms/form.js";
import { cadenceField, withoutDays } from "./cadence-field.js";
import { delayFields } from "./delay-fields.js";
import { policyFields } from "./policy-fields.js";
import { shareConstraintFields } from "./share-constraints.js";

/**
 * The settings as fields.
 *
 * @param {object} settings - as the API has them; of a new experiment, the defaults
 * @param {object[]} policies - of GET /policies
 * @param {object[]} [variants] - of an existing experiment, for settings of single ones
 */
export function settingsFields(settings, policies, variants = []) {
  const policy = policyFields(settings.policy, policies, variants);
  const field = (options) => formField({ value: at(settings, options.name), ...options });
  const objective = field({
    name: "objective", label: "Objective", kind: "select",
    choices: [["conversion", "Conversion rate"], ["value", "Value per impression"]],
  });
  const currency = field({ name: "currency", label: "Currency", required: true, placeholder: "EUR", hint: "Of revenue and costs, as three letters.", read: upperCase });
  const constraints = shareConstraintFields(settings, variants);
  const plain = plainFields(field);
  const delay = delayFields(settings);
  const cadence = settings.source === "reported" ? null : cadenceField(settings.cadence, plain);
  const tracked = settings.source === "reported" ? [] : trackedFields(field);
  const showCurrency = () => (currency.element.hidden = objective.input.value !== "value");
  objective.input.addEventListener("change", () => (showCurrency(), policy.offer(objective.input.value)));
  showCurrency();
  policy.offer(settings.objective);
  const others = [objective, currency, ...(cadence ? [cadence] : []), ...plain, ...tracked];
  const entered = () => {
    const pairs = others.map(({ name, value }) => [name, value()]);
    return cadence?.hourly() ? withoutDays(pairs, (name) => at(settings, name)) : pairs;
  };
  return {
    element: h(
      "div",
      {},
      h("fieldset", {}, h("legend", {}, "How shares are decided"), h("div", { class: "fields" }, objective.element, currency.element, policy.element, constraints.element)),
      folded("More settings", [cadence?.element, ...plain.map(({ element }) => element), ...delay.element]),
      tracked.length > 0 && folded("Assignment of units, in a tracked experiment", tracked.map(({ element }) => element)),
    ),
    fields: () => [...others, ...delay.fields(), ...constraints.fields(), ...policy.fields()],
    values() {
      const all = nested([...entered(), ["policy", policy.value()], ["delay", delay.value()]]);
      const byValue = all.objective === "value";
      if (byValue && !all.currency) throw new FieldErrors([{ field: "body.currency", message: "The objective value needs a currency: three letters, for example EUR." }]);
      return { ...all, ...constraints.values(), currency: byValue ? all.currency : null };
    },
  };
}

const upperCase = (input) => input.value.trim().toUpperCase() || null;

const folded = (title, elements) =>
  h("details", { class: "more-settings" }, h("summary", {}, title), h("div", { class: "fields" }, elements));

const plainFields = (field) => [
  field({ name: "burn_in.days", label: "Burn-in, days", kind: "integer", min: 0, hint: "Days of data that a new variant needs before it is judged." }),
  field({ name: "burn_in.impressions", label: "Burn-in, impressions", kind: "integer", min: 0 }),
  field({ name: "burn_in.successes", label: "Burn-in, successes", kind: "integer", min: 0 }),
  field({ name: "burn_in.share", label: "Burn-in, percent of traffic", kind: "number", min: 0, max: 100, placeholder: "an equal share", hint: "What a variant in burn-in gets; at most an equal share." }),
  field({ name: "window_days", label: "Window, days", kind: "integer", min: 1, placeholder: "all days", hint: "Use only the most recent days." }),
  field({ name: "half_life_days", label: "Half-life, days", kind: "number", min: 0.01, placeholder: "none", hint: "The weight of a day halves in this time; an alternative to a window." }),
  field({ name: "adjust", label: "Day effects", kind: "select", choices: [["none", "not adjusted for"], ["day", "divided out"]] }),
  field({ name: "maturity_days", label: "Maturity, days", kind: "integer", min: 0, hint: "Leave out this many of the most recent days, whose conversions are not complete yet." }),
  field({ name: "stale_after_days", label: "Stale after, days", kind: "integer", min: 0 }),
  field({ name: "prior.a", label: "Prior, conversions", kind: "number", min: 0.1 }),
  field({ name: "prior.b", label: "Prior, failures", kind: "number", min: 0.1 }),
  field({
    name: "stop.rule", label: "Stop rule", kind: "select",
    choices: [["", "default"], ["value_remaining", "value remaining"], ["p_best", "P(best)"], ["expected_loss", "expected loss"]],
  }),
  field({ name: "stop.threshold", label: "Stop threshold", kind: "number", min: 0, placeholder: "default" }),
  field({ name: "stop.minimum_days", label: "Minimum days before stopping", kind: "integer", min: 1 }),
  field({ name: "time_zone", label: "Time zone", hint: "Of the calendar days of the totals, for example Europe/Berlin." }),
  field({
    name: "traffic", label: "Variants are drawn", kind: "select", hint: "If they are drawn for every impression, impressions can be tested against the shares.",
    choices: [["sticky", "once per visitor"], ["per_request", "for every impression"]],
  }),
  field({ name: "late_conversions", label: "Accept days with more successes than impressions", kind: "checkbox" }),
  field({
    name: "flag", label: "OpenFeature clients", kind: "select", hint: "Only experiments offered as flags are evaluated, and assign units.",
    choices: [["", "see it as a flag if it is tracked"], ["true", "see it as a flag"], ["false", "do not see it"]],
    read: (input) => ({ true: true, false: false })[input.value] ?? null,
  }),
];

/** How units are assigned and rewarded. */
const trackedFields = (field) => [
  field({ name: "holdout_percent", label: "Hold-out, percent of units", kind: "number", min: 0, max: 100, hint: "These units get the control and take no part, to measure the effect of the experiment." }),
  field({
    name: "assignment_mode", label: "A unit's variant is stored", kind: "select",
    choices: [["sticky", "when it is assigned"], ["rendezvous", "at its first exposure"]],
  }),
  field({ name: "refresh_minutes", label: "New shares after, minutes", kind: "integer", min: 1, max: 1440, hint: "A new day always has new shares." }),
  field({ name: "reward_window_days", label: "Rewards count for, days", kind: "integer", min: 1, hint: "After a unit's first exposure." }),
];

const at = (object, path) => path.split(".").reduce((inner, name) => inner?.[name], object);

/** Pairs of dotted names and values as nested objects. */
function nested(pairs) {
  const result = {};
  for (const [path, value] of pairs) {
    const names = path.split(".");
    const last = names.pop();
    const inner = names.reduce((object, name) => (object[name] ??= {}), result);
    inner[last] = value;
  }
  return result;
}

/** What differs between two settings, as a merge-patch. */
export function changes(before, after) {
  const changed = {};
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (JSON.stringify(old ?? null) === JSON.stringify(value)) continue;
    const inner = isObject(value) && isObject(old) && name !== "policy" ? changes(old, value) : value;
    if (!isObject(inner) || Object.keys(inner).length) changed[name] = inner;
  }
  return changed;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
