/** How far back a page looks: kept in the address, so that a link shows the same. */

import { h } from "../dom.js";
import { count } from "../format.js";

const CHOICES = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "a year"],
  ["all", "everything"],
];
const USUAL = "90";

/** The chosen period: `"all"`, or a number of days as text. */
export const chosenPeriod = (query) => {
  const asked = query.get("days");
  return CHOICES.some(([value]) => value === asked) ? asked : USUAL;
};

/** How many daily totals a page reads; more would make it slow. */
export const MOST_TOTALS = 50_000;

/** Says that a page read only the first of the totals of its time; nothing where it has all. */
export const incomplete = (totals) =>
  totals.length >= MOST_TOTALS &&
  h("p", { class: "notice warn", role: "status" }, `Only the first ${count(totals.length)} daily totals of this time are shown: choose a shorter one.`);

/** A choice of periods; `chosen` is called with the new one. */
export function periodChoice(period, chosen) {
  const choice = h(
    "select",
    { id: "period", onchange: () => chosen(choice.value) },
    CHOICES.map(([value, title]) => h("option", { value, selected: value === period }, title)),
  );
  return h("p", { class: "inline" }, h("label", { for: "period" }, "Show the last"), choice);
}
