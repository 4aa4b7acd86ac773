/** One experiment over time: the shares, what each variant did, and how certain the decisions were. */

import { go } from "../../addresses.js";
import { get, getAll } from "../../api.js";
import { chosenPeriod, MAX_TOTALS, periodChoice, truncatedNotice } from "../../components/data/period.js";
import { experimentPage, readExperiment } from "../../components/experiment/header.js";
import { empty } from "../../components/placeholders.js";
import { h } from "../../dom.js";
import { daysBefore, todayIn } from "../../format.js";
import { lastOfEachDate, maturity } from "./daily-series.js";
import { lossChart, sharesChart, valueRemainingChart } from "./decision-charts.js";
import { delayChart } from "./delay-chart.js";
import { DrawnVariants } from "./drawn-variants.js";
import { revisionsPanel } from "./revisions.js";
import { ratesChart, successesChart } from "./totals-charts.js";

export async function show({ params: { id }, query, signal }) {
  const period = chosenPeriod(query);
  const since = period === "all" ? "" : daysBefore(todayIn("UTC"), Number(period));
  const [experiment, revisions, totals, delay] = await Promise.all([
    readExperiment(id, signal),
    getAll(`/allocations/${id}/history`, { signal, enough: (items) => items.at(-1).date < since }),
    getAll(`/metrics/${id}`, { query: { since }, signal, max: MAX_TOTALS }),
    get(`/experiments/${id}/delay`, { signal }),
  ]);
  const shown = revisions.filter(({ date }) => date >= since);
  const variants = new DrawnVariants(experiment, shown, totals);
  return experimentPage(
    experiment,
    "history",
    [],
    periodChoice(period, (chosen) => go(`experiments/${id}/history?days=${chosen}`)),
    truncatedNotice(totals),
    shown.length || totals.length
      ? h(
          "div",
          { class: "grid" },
          shown.length ? sharesChart(variants, shown, signal) : noRevisions(),
          totals.length ? [ratesChart(variants, totals, maturity(delay, experiment.source), signal), successesChart(variants, totals, signal)] : noTotals(),
          delayChart(variants, delay, signal),
          shown.length > 0 && [certainty(variants, shown, signal), revisionsPanel(experiment, variants, shown)],
        )
      : empty("Nothing is recorded and no totals are stored in this period.", h("a", { class: "button primary", href: "#/upload" }, "Upload a CSV")),
  );
}

const noRevisions = () => empty("No allocation is recorded in this period: it is recorded on the day it is requested.");
const noTotals = () => empty("No daily totals in this period.", h("a", { class: "button", href: "#/upload" }, "Upload a CSV"));

/** How certain the decisions were, on dates with data. */
function certainty(variants, revisions, signal) {
  const informed = lastOfEachDate(revisions).filter(({ gates }) => !gates.includes("no_data"));
  return informed.length > 0 && [lossChart(variants, informed, signal), valueRemainingChart(informed, signal)];
}
