/** The choice of a policy, and below it the parameters of the chosen one. */

import { formField } from "./form.js";
import { h, replace } from "../dom.js";
import { variantName } from "./names.js";

/**
 * Fields for a policy.
 *
 * @param {object} chosen - the policy as the API gives it
 * @param {object[]} policies - of GET /policies
 * @param {object[]} variants - of the experiment, for shares chosen by hand; none before it is created
 */
export function policyFields(chosen, policies, variants) {
  const kind = formField({ name: "policy.kind", label: "Policy", kind: "select" });
  const hint = h("p", { class: "hint" });
  const parameters = h("div", { class: "fields" });
  let fields = [];
  const show = () => {
    const policy = policies.find((one) => one.kind === kind.input.value);
    const own = policy.kind === chosen.kind ? chosen : {};
    hint.textContent = policy.summary;
    fields = policy.kind === "fixed" ? shareFields(variants, own.shares) : parameterFields(policy, own);
    replace(parameters, fields.map(({ element }) => element));
  };
  kind.input.addEventListener("change", show);
  kind.element.append(hint);
  return {
    element: [kind.element, parameters],
    fields: () => [kind, ...fields],
    /** Offer the policies that go with an objective. */
    offer(objective) {
      const fitting = policies.filter((one) => (one.objective === objective || one.objective === "any") && (one.kind !== "fixed" || variants.length));
      const before = kind.input.value || chosen.kind;
      replace(kind.input, fitting.map((one) => h("option", { value: one.kind }, one.kind.replaceAll("_", " "))));
      kind.input.value = fitting.some((one) => one.kind === before) ? before : fitting[0].kind;
      show();
    },
    value() {
      const own = fields.map(({ name, value }) => [name.replace(/^policy\.(shares\.)?/, ""), value()]);
      if (kind.input.value === "fixed") return { kind: "fixed", shares: Object.fromEntries(own.filter(([id, share]) => share !== null || id in (chosen.shares ?? {}))) };
      return { kind: kind.input.value, ...Object.fromEntries(own.filter(([, value]) => value !== null)) };
    },
  };
}

const parameterFields = (policy, own) =>
  Object.entries(policy.parameters.properties ?? {})
    .filter(([, described]) => described.type === "number")
    .map(([name, described]) => parameterField(name, described, own[name]));

const parameterField = (name, described, value) =>
  formField({
    name: `policy.${name}`, label: name.replaceAll("_", " "), kind: "number", hint: described.description,
    min: described.minimum, max: described.maximum, value: value ?? described.default,
  });

const shareFields = (variants, shares = {}) =>
  variants.map((variant) => formField({ name: `policy.shares.${variant.variant_id}`, label: `${variantName(variant)}, percent`, kind: "number", min: 0, max: 100, value: shares[variant.variant_id] }));
