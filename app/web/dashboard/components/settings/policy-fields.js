/** The choice of a policy, and below it the parameters of the chosen one. */

import { announce, h, replace } from "../../dom.js";
import { variantName } from "../experiment/names.js";
import { formField } from "../forms/form.js";

/**
 * Fields for a policy.
 *
 * @param {object} stored - the policy as the API has it
 * @param {object[]} policies - of GET /policies
 * @param {object[]} variants - of the experiment, for fixed shares; empty before it is created
 */
export function policyFields(stored, policies, variants) {
  const kind = formField({ name: "policy.kind", label: "Policy", kind: "select" });
  const hint = h("p", { class: "hint" });
  const moved = h("p", { class: "hint", role: "status" });
  const parameters = h("div", { class: "fields" });
  const entered = new Map([[stored.kind, stored]]); // parameters by kind, so that going back restores them
  let fields = [];
  let shown = null; // the kind that `fields` belong to
  let movedFrom = null; // the kind that the reader chose, where a change of objective replaced it
  kind.input.addEventListener("change", () => ((movedFrom = null), (moved.textContent = ""), show()));
  kind.element.append(hint, moved);
  return {
    element: [kind.element, parameters],
    fields: () => [kind, ...fields],
    offer,
    value,
  };

  /** Offer the policies that fit an objective; one that does not fit is replaced by its counterpart, until it fits again. */
  function offer(objective) {
    const fitting = policies.filter((one) => [objective, "any"].includes(one.objective) && (one.kind !== "fixed" || variants.length));
    const fits = (wanted) => fitting.some((one) => one.kind === wanted);
    const before = kind.input.value || stored.kind;
    const next = [movedFrom, before, counterpart(before, objective)].find(fits) ?? fitting.find((one) => one.objective === objective).kind;
    if (next !== before) noteMove(before, next);
    replace(kind.input, fitting.map((one) => h("option", { value: one.kind }, label(one.kind))));
    kind.input.value = next;
    show();
  }

  function noteMove(before, next) {
    moved.textContent = next === movedFrom ? "" : `${label(before)} does not go with this objective: the policy is now ${label(next)}.`;
    movedFrom = next === movedFrom ? null : before;
    announce(moved.textContent || `The policy is ${label(next)} again.`);
    if (!entered.has(next)) entered.set(next, value()); // parameters of the same name keep their values
  }

  function show() {
    if (shown) entered.set(shown, value());
    shown = kind.input.value;
    const policy = policies.find((one) => one.kind === shown);
    const own = entered.get(shown) ?? {};
    hint.textContent = policy.summary;
    fields = shown === "fixed" ? shareFields(variants, own.shares) : parameterFields(policy, own);
    replace(parameters, fields.map(({ element }) => element));
  }

  /** The policy that the fields describe; a share that was removed is null, as in a merge-patch. */
  function value() {
    const own = fields.map(({ name, value: entry }) => [name.replace(/^policy\.(shares\.)?/, ""), entry()]);
    if (shown === "fixed") return { kind: "fixed", shares: Object.fromEntries(own.filter(([id, share]) => share !== null || id in (stored.shares ?? {}))) };
    return { kind: shown, ...Object.fromEntries(own.filter(([, entry]) => entry !== null)) };
  }
}

const label = (kind) => kind.replaceAll("_", " ");

/** The policy of the same family under an objective: thompson and value_thompson, epsilon_greedy and value_epsilon_greedy. */
const counterpart = (kind, objective) => (objective === "value" ? `value_${kind}` : kind.replace(/^value_/, ""));

const parameterFields = (policy, own) =>
  Object.entries(policy.parameters.properties ?? {})
    .filter(([, described]) => described.type === "number")
    .map(([name, described]) => parameterField(name, described, own[name]));

const parameterField = (name, described, value) =>
  formField({
    name: `policy.${name}`, label: label(name), kind: "number", hint: described.description,
    min: described.minimum, max: described.maximum, value: value ?? described.default,
  });

const shareFields = (variants, shares = {}) =>
  variants.map((variant) => formField({ name: `policy.shares.${variant.variant_id}`, label: `${variantName(variant)}, percent`, kind: "number", min: 0, max: 100, value: shares[variant.variant_id] }));
