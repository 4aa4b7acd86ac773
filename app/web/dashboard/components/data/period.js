/** How far back a page looks; the choice is in the address, so that a link shows the same. */

import { h } from "../../dom.js";
import { count } from "../../format.js";

const CHOICES = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "a year"],
  ["all", "everything"],
];
const DEFAULT = "90";

/** The chosen period: `"all"`, or a number of days as text. */
export const chosenPeriod = (query) => {
  const chosen = query.get("days");
  return CHOICES.some(([value]) => value === chosen) ? chosen : DEFAULT;
};

/** How many daily totals a page reads at most; more would make it slow. */
export const MAX_TOTALS = 50_000;

/** A notice that only the first totals of the period were read; nothing if all were. */
export const truncatedNotice = (totals) =>
  totals.length >= MAX_TOTALS &&
  h("p", { class: "notice warn", role: "status" }, `Only the first ${count(totals.length)} daily totals of this period are shown: choose a shorter one.`);

/** A choice of periods; `onChoice` is called with the new one. */
export function periodChoice(period, onChoice) {
  const choice = h(
    "select",
    { id: "period", onchange: () => onChoice(choice.value) },
    CHOICES.map(([value, title]) => h("option", { value, selected: value === period }, title)),
  );
  return h("p", { class: "inline" }, h("label", { for: "period" }, "Show the last"), choice);
}
