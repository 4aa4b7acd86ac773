/** The fields of an experiment's settings, for creating it and for changing it. */

import { formField } from "./form.js";
import { h, replace } from "../dom.js";

/**
 * The settings as fields.
 *
 * @param {object} settings - as the API gives them; for a new experiment, what it starts with
 * @param {object[]} policies - of GET /policies
 */
export function settingsFields(settings, policies) {
  const policy = policyFields(settings.policy, policies);
  const field = (options) => formField({ value: at(settings, options.name), ...options });
  const objective = field({
    name: "objective", label: "Objective", kind: "select",
    choices: [["conversion", "Conversions: the highest rate"], ["value", "Value: what earns most per impression"]],
  });
  const currency = field({ name: "currency", label: "Currency", hint: "Three letters, EUR for example; of revenue and costs.", read: upper });
  const floor = floorField(settings);
  const plain = [
    field({ name: "burn_in.days", label: "Burn-in, days", kind: "integer", min: 0, hint: "Days of data a new variant shows before it is judged." }),
    field({ name: "burn_in.impressions", label: "Burn-in, impressions", kind: "integer", min: 0 }),
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
    field({ name: "late_conversions", label: "Accept days with more successes than impressions", kind: "checkbox" }),
  ];
  const showCurrency = () => (currency.element.hidden = objective.input.value !== "value");
  objective.input.addEventListener("change", () => (showCurrency(), policy.offer(objective.input.value)));
  showCurrency();
  policy.offer(settings.objective);
  const others = [objective, currency, floor, ...plain].filter(Boolean);
  return {
    element: h(
      "div",
      {},
      h("fieldset", {}, h("legend", {}, "How shares follow from the data"), h("div", { class: "fields" }, objective.element, currency.element, policy.element, floor?.element)),
      h("details", { class: "more-settings" }, h("summary", {}, "More settings"), h("div", { class: "fields" }, plain.map(({ element }) => element))),
    ),
    fields: () => [...others, ...policy.fields()],
    values() {
      const all = nested([...others.map(({ name, value }) => [name, value()]), ["policy", policy.value()]]);
      return { ...all, currency: all.objective === "value" ? all.currency : null };
    },
  };
}

const upper = (input) => input.value.trim().toUpperCase() || null;

/** One floor for all; floors per variant are left to the API, and kept as they are. */
const floorField = (settings) =>
  typeof settings.min_share === "object"
    ? null
    : formField({ name: "min_share", label: "Floor, percent", kind: "number", min: 0, max: 100, value: settings.min_share, hint: "What every variant keeps, whatever the data say." });

/** The choice of a policy, and below it the parameters of the chosen one. */
function policyFields(chosen, policies) {
  const kind = formField({ name: "policy.kind", label: "Policy", kind: "select" });
  const hint = h("p", { class: "hint" });
  const parameters = h("div", { class: "fields" });
  let fields = [];
  const show = () => {
    const policy = policies.find((one) => one.kind === kind.input.value);
    const own = policy.kind === chosen.kind ? chosen : {};
    hint.textContent = policy.summary;
    fields = Object.entries(policy.parameters.properties ?? {})
      .filter(([, described]) => described.type === "number")
      .map(([name, described]) => parameterField(name, described, own[name]));
    replace(parameters, fields.map(({ element }) => element));
  };
  kind.input.addEventListener("change", show);
  kind.element.append(hint);
  return {
    element: [kind.element, parameters],
    fields: () => [kind, ...fields],
    /** Offer the policies that go with an objective. */
    offer(objective) {
      const fitting = policies.filter((one) => (one.objective === objective || one.objective === "any") && (one.kind !== "fixed" || chosen.kind === "fixed"));
      const before = kind.input.value || chosen.kind;
      replace(kind.input, fitting.map((one) => h("option", { value: one.kind }, one.kind.replaceAll("_", " "))));
      kind.input.value = fitting.some((one) => one.kind === before) ? before : fitting[0].kind;
      show();
    },
    value() {
      const own = fields.map(({ name, value }) => [name.replace("policy.", ""), value()]).filter(([, value]) => value !== null);
      return kind.input.value === "fixed" ? chosen : { kind: kind.input.value, ...Object.fromEntries(own) };
    },
  };
}

const parameterField = (name, described, value) =>
  formField({
    name: `policy.${name}`, label: name.replaceAll("_", " "), kind: "number", hint: described.description,
    min: described.minimum, max: described.maximum, value: value ?? described.default,
  });

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
