/** What a tracked experiment is worth: the units that took part beside those that were held out. */

import { h } from "../dom.js";
import { count, perImpression, rate, signedPercent, points } from "../format.js";
import { intervalText } from "./interval.js";
import { table } from "./table.js";

/** The hold-out of GET /experiments/{id}/estimates as a panel. */
export function holdoutPanel(holdout, currency) {
  const outcome = currency ? (amount) => perImpression(amount, currency) : rate;
  const difference = currency ? (amount) => perImpression(amount, currency, true) : points;
  const interval = (ends, written) => (ends ? intervalText(ends, written) : "–");
  const rows = [
    { word: "Units held out", figure: count(holdout.units), interval: "" },
    { word: "Their mean outcome", figure: outcome(holdout.mean), interval: "" },
    { word: "Mean outcome of the others", figure: outcome(holdout.bandit_mean), interval: "" },
    { word: currency ? "Lift per unit" : "Lift, percentage points", figure: difference(holdout.lift), interval: interval(holdout.interval_95, difference) },
    { word: "Relative lift", figure: signedPercent(holdout.relative_lift), interval: interval(holdout.relative_interval_95, signedPercent) },
  ];
  return h(
    "section",
    { class: "panel wide", "aria-labelledby": "holdout" },
    h("h3", { id: "holdout" }, "Against the hold-out"),
    table(
      "The units that took part against those held out",
      [
        { title: "Figure", of: ({ word }) => word },
        { title: "Value", figure: true, of: ({ figure }) => h("b", {}, figure) },
        { title: "95 % interval", figure: true, of: ({ interval: ends }) => ends },
      ],
      rows,
    ),
    h("p", { class: "hint" }, "Units held out get the control and decide nothing; the lift is what the experiment is worth per unit, today's units with it."),
  );
}
