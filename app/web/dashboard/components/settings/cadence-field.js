/** How often shares follow the data: with hours some settings in days have no meaning, and burn-in has another default. */

import { formField } from "../forms/form.js";

/** The defaults of the settings that hours do not take. */
const IN_DAYS = { "burn_in.days": 1, maturity_days: 0 };

const BURN_IN_IMPRESSIONS = { day: "0", hour: "100" };

/**
 * The field for `cadence`, of an experiment whose totals are not reported.
 *
 * @param {string} before - the cadence as it is
 * @param {object[]} others - the fields beside it; those in days are hidden while hours are chosen
 */
export function cadenceField(before, others) {
  const field = formField({
    name: "cadence", label: "Shares follow the data", kind: "select", value: before,
    choices: [["day", "each day"], ["hour", "each full hour"]],
    hint: "Of tracked experiments. Hours are worth it in short campaigns whose conversions come soon; they can be chosen before the first data.",
  });
  const impressions = others.find(({ name }) => name === "burn_in.impressions").input;
  const hourly = () => field.input.value === "hour";
  const show = () => others.filter(({ name }) => name in IN_DAYS).forEach(({ element }) => (element.hidden = hourly()));
  field.input.addEventListener("change", () => {
    const [from, to] = hourly() ? ["day", "hour"] : ["hour", "day"];
    if (impressions.value === BURN_IN_IMPRESSIONS[from]) impressions.value = BURN_IN_IMPRESSIONS[to];
    show();
  });
  show();
  return { ...field, hourly };
}

/** Days of an hourly experiment are not sent, and null, which takes them back, where they are set. */
export const withoutDays = (pairs, stored) =>
  pairs.filter(([name]) => !(name in IN_DAYS) || stored(name) !== IN_DAYS[name]).map(([name, value]) => [name, name in IN_DAYS ? null : value]);
