/** How conversions that have not arrived yet are counted on: learnt from the data, not at all, or by a curve. */

import { formField } from "../forms/form.js";

/** Fields for `delay`; those of the kinds that are not chosen are hidden. */
export function delayFields({ delay = { kind: "auto" } }) {
  const kind = formField({
    name: "delay.kind", label: "Conversions that come later", kind: "select", value: delay.kind,
    choices: [["auto", "learn the delay from the data"], ["curve", "a delay that I set"], ["none", "count what has come"]],
    hint: "A day's impressions count as far as their conversions have come.",
  });
  const days = formField({
    name: "delay.max_days", label: "Conversions come within, days", kind: "integer", min: 1, max: 365, value: delay.max_days,
    placeholder: "30, or as rewards count", hint: "What comes later is not waited for.",
  });
  const fractions = formField({
    name: "delay.fractions", label: "Have come, percent", value: (delay.fractions ?? []).map(asPercent).join(", "), placeholder: "40, 80, 100",
    hint: "Of a day's conversions by the day itself, one day later, two days later, and so on; the last is 100.", read: asFractions,
  });
  const show = () => {
    days.element.hidden = kind.input.value !== "auto";
    fractions.element.hidden = kind.input.value !== "curve";
  };
  kind.input.addEventListener("change", show);
  show();
  const only = (field, wanted) => (kind.input.value === wanted ? field.value() : null);
  return {
    element: [kind.element, days.element, fractions.element],
    fields: () => [kind, days, fractions],
    value: () => ({ kind: kind.value(), fractions: only(fractions, "curve"), max_days: only(days, "auto") }),
  };
}

const asPercent = (fraction) => Number((100 * fraction).toPrecision(12));

/** "40, 80, 100" in percent as fractions; text that is not a number is sent as it is, for the service to reject. */
const asFractions = (input) =>
  input.value.split(/[,;\s]+/).filter(Boolean).map((text) => (Number.isFinite(Number(text)) ? Number((Number(text) / 100).toPrecision(12)) : text));
