/** The fields of an experiment's settings, for creating it and for changing it. */

import { formField } from "./form.js";
import { h } from "../dom.js";
import { policyFields } from "./policy.js";
import { promiseFields } from "./promises.js";

/**
 * The settings as fields.
 *
 * @param {object} settings - as the API gives them; for a new experiment, what it starts with
 * @param {object[]} policies - of GET /policies
 * @param {object[]} [variants] - of an experiment that is there, for what is said of single ones
 */
export function settingsFields(settings, policies, variants = []) {
  const policy = policyFields(settings.policy, policies, variants);
  const field = (options) => formField({ value: at(settings, options.name), ...options });
  const objective = field({
    name: "objective", label: "Objective", kind: "select",
    choices: [["conversion", "Conversions: the highest rate"], ["value", "Value: what earns most per impression"]],
  });
  const currency = field({ name: "currency", label: "Currency", hint: "Three letters, EUR for example; of revenue and costs.", read: upper });
  const promises = promiseFields(settings, variants);
  const plain = [
    field({ name: "burn_in.days", label: "Burn-in, days", kind: "integer", min: 0, hint: "Days of data a new variant shows before it is judged." }),
    field({ name: "burn_in.impressions", label: "Burn-in, impressions", kind: "integer", min: 0 }),
    field({ name: "burn_in.successes", label: "Burn-in, successes", kind: "integer", min: 0 }),
    field({ name: "burn_in.share", label: "Burn-in, percent of traffic", kind: "number", min: 0, max: 100, placeholder: "an equal share", hint: "What such a variant gets until then; at most an equal share." }),
    field({ name: "window_days", label: "Window, days", kind: "integer", min: 1, placeholder: "all days", hint: "Use only the last so many days." }),
    field({ name: "half_life_days", label: "Half-life, days", kind: "number", min: 0.01, placeholder: "none", hint: "A day's weight halves every so many days; instead of a window." }),
    field({ name: "adjust", label: "Good and bad days", kind: "select", choices: [["none", "count as they are"], ["day", "are divided out"]] }),
    field({ name: "maturity_days", label: "Unripe days", kind: "integer", min: 0, hint: "Leave out so many of the last days." }),
    field({ name: "stale_after_days", label: "Stale after, days", kind: "integer", min: 0 }),
    field({ name: "prior.a", label: "Prior, conversions", kind: "number", min: 0.1 }),
    field({ name: "prior.b", label: "Prior, failures", kind: "number", min: 0.1 }),
    field({
      name: "stop.rule", label: "Advise to stop by", kind: "select",
      choices: [["", "the usual figure"], ["value_remaining", "value remaining"], ["p_best", "P(best)"], ["expected_loss", "expected loss"]],
    }),
    field({ name: "stop.threshold", label: "Its limit", kind: "number", min: 0, placeholder: "the usual one" }),
    field({ name: "stop.minimum_days", label: "Not before, days", kind: "integer", min: 1 }),
    field({ name: "time_zone", label: "Time zone", hint: "Whose calendar days the totals are: Europe/Berlin." }),
    field({
      name: "traffic", label: "Impressions are drawn", kind: "select", hint: "Drawn anew, the days' impressions can be tested against the shares.",
      choices: [["sticky", "once for each visitor"], ["per_request", "anew every time"]],
    }),
    field({ name: "late_conversions", label: "Accept days with more successes than impressions", kind: "checkbox" }),
  ];
  const tracked = settings.source === "reported" ? [] : trackedFields(field);
  const showCurrency = () => (currency.element.hidden = objective.input.value !== "value");
  objective.input.addEventListener("change", () => (showCurrency(), policy.offer(objective.input.value)));
  showCurrency();
  policy.offer(settings.objective);
  const others = [objective, currency, ...plain, ...tracked];
  return {
    element: h(
      "div",
      {},
      h("fieldset", {}, h("legend", {}, "How shares follow from the data"), h("div", { class: "fields" }, objective.element, currency.element, policy.element, promises.element)),
      folded("More settings", plain),
      tracked.length > 0 && folded("Assignment of units, of a tracked experiment", tracked),
    ),
    fields: () => [...others, ...promises.fields(), ...policy.fields()],
    values() {
      const all = nested([...others.map(({ name, value }) => [name, value()]), ["policy", policy.value()]]);
      return { ...all, ...promises.values(), currency: all.objective === "value" ? all.currency : null };
    },
  };
}

const upper = (input) => input.value.trim().toUpperCase() || null;

const folded = (title, fields) =>
  h("details", { class: "more-settings" }, h("summary", {}, title), h("div", { class: "fields" }, fields.map(({ element }) => element)));

/** By what units are assigned and rewarded. */
const trackedFields = (field) => [
  field({ name: "holdout_percent", label: "Hold-out, percent of units", kind: "number", min: 0, max: 100, hint: "They get the control and take no part, to tell what the experiment is worth." }),
  field({
    name: "assignment_mode", label: "A unit's variant is kept", kind: "select",
    choices: [["sticky", "from its assignment on"], ["rendezvous", "from its first exposure on"]],
  }),
  field({ name: "refresh_minutes", label: "New shares after, minutes", kind: "integer", min: 1, max: 1440, hint: "A new day always brings its own." }),
  field({ name: "reward_window_days", label: "Rewards count for, days", kind: "integer", min: 1, hint: "After a unit's first exposure." }),
];

const at = (object, path) => path.split(".").reduce((inner, name) => inner?.[name], object);

/** Names with dots as objects in each other. */
function nested(pairs) {
  const result = {};
  for (const [path, value] of pairs) {
    const names = path.split(".");
    const last = names.pop();
    const inside = names.reduce((object, name) => (object[name] ??= {}), result);
    inside[last] = value;
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
