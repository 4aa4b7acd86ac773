/** The effect of a tracked experiment: the units that took part compared with the hold-out. */

import { h } from "../../dom.js";
import { count, day, NONE, percent, perImpression, plural, points, rate, signedPercent } from "../../format.js";
import { intervalText } from "../charts/interval.js";
import { table } from "../data/table.js";

/** The hold-out of GET /experiments/{id}/estimates as a panel, with a sentence on conversions that are still coming. */
export function holdoutPanel({ holdout, immature }, currency) {
  const outcome = currency ? (amount) => perImpression(amount, currency) : rate;
  const difference = currency ? (amount) => perImpression(amount, currency, true) : points;
  const interval = (ends, format) => (ends ? intervalText(ends, format) : NONE);
  const rows = [
    { label: "Units in the hold-out", value: count(holdout.units), interval: "" },
    { label: "Their mean outcome", value: outcome(holdout.mean), interval: "" },
    { label: "Mean outcome of the others", value: outcome(holdout.bandit_mean), interval: "" },
    { label: currency ? "Lift per unit" : "Lift, percentage points", value: difference(holdout.lift), interval: interval(holdout.interval_95, difference) },
    { label: "Relative lift", value: signedPercent(holdout.relative_lift), interval: interval(holdout.relative_interval_95, signedPercent) },
  ];
  return h(
    "section",
    { class: "panel wide", "aria-labelledby": "holdout" },
    h("h3", { id: "holdout" }, "Against the hold-out"),
    table(
      "Units in the experiment against the hold-out",
      [
        { title: "Measure", of: ({ label }) => label },
        { title: "Value", numeric: true, of: ({ value }) => h("b", {}, value) },
        { title: "95 % interval", numeric: true, of: ({ interval: ends }) => ends },
      ],
      rows,
    ),
    h("p", { class: "hint" }, "Units in the hold-out get the control and influence no decision. The lift is what the experiment adds per unit; today's units are included."),
    immature && h("p", { class: "hint" }, immatureSentence(immature)),
  );
}

/** Which conversions are still coming, and what that means for the table. */
const immatureSentence = ({ since, units, matured }) =>
  `Conversions of ${plural(units, "unit")} first exposed since ${day(since)} are still coming: ${percent(matured, 1)} of all conversions have come. Both means are too low for now; the relative lift compares units of the same days.`;
