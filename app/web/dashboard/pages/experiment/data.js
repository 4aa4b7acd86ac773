/** One experiment's data: the totals that decide today, what is stored day by day, and an upload. */

import { go } from "../../addresses.js";
import { get, getAll } from "../../api.js";
import { csvButton } from "../../components/data/csv-download.js";
import { chosenPeriod, MAX_TOTALS, periodChoice, truncatedNotice } from "../../components/data/period.js";
import { table } from "../../components/data/table.js";
import { uploadPanel } from "../../components/data/upload-panel.js";
import { experimentPage, readExperiment, replayAddress } from "../../components/experiment/header.js";
import { variantName, variantsById } from "../../components/experiment/names.js";
import { dot } from "../../components/experiment/share-bar.js";
import { empty } from "../../components/placeholders.js";
import { h } from "../../dom.js";
import { count, day, daysBefore, money, rate, timestamp } from "../../format.js";

export async function show({ params: { id }, query, signal }) {
  const period = chosenPeriod(query);
  const since = period === "all" ? null : daysBefore(new Date().toISOString().slice(0, 10), Number(period));
  const [experiment, stored, { totals: used }] = await Promise.all([
    readExperiment(id, signal),
    getAll(`/metrics/${id}`, { query: { since }, signal, max: MAX_TOTALS }),
    get(`/metrics/${id}`, { query: { limit: 1 }, signal }),
  ]);
  const here = `experiments/${id}/data`;
  return experimentPage(
    experiment,
    "data",
    [],
    h(
      "div",
      { class: "stack" },
      experiment.source === "tracked" ? trackedPanel(id) : uploadPanel({ signal, example: id }),
      used && usedPanel(experiment, used),
      periodChoice(period, (chosen) => go(`${here}?days=${chosen}`)),
      truncatedNotice(stored),
      stored.length ? storedPanel(experiment, stored) : empty(experiment.source === "tracked" ? "No unit was exposed in this period: choose a longer one." : "No daily totals are stored in this period. Upload a CSV above, or choose a longer period."),
    ),
  );
}

const trackedPanel = (id) =>
  h(
    "section",
    { class: "panel", "aria-labelledby": "tracked" },
    h("h2", { id: "tracked" }, "Source of the totals"),
    h("p", {}, "This experiment is tracked: its totals are those of the events sent to ", h("code", {}, "POST /events"), ", dated by a unit's first exposure. Daily totals are not accepted."),
    h("p", {}, h("a", { class: "button", href: replayAddress(id) }, "Evaluate other policies on its decisions")),
  );

const MAX_ROWS = 1000;

function usedPanel(experiment, used) {
  const variant = variantsById(experiment);
  const both = (name) => ({ raw, effective }) => (raw[name] === effective[name] ? count(raw[name]) : `${count(effective[name])} of ${count(raw[name])}`);
  return h(
    "section",
    { class: "panel", "aria-labelledby": "used" },
    h("h2", { id: "used" }, "Totals that decide today"),
    h(
      "p",
      { class: "hint" },
      `Days up to ${day(used.last_day)} may be used; the last one with data is ${day(used.data_through)}.`,
      used.left_out.length ? ` Left out, because a variant has not reported: ${used.left_out.map(day).join(", ")}.` : "",
    ),
    table(
      "The totals that decide today",
      [
        { title: "Variant", of: ({ variant_id }) => [dot(variant(variant_id).index), " ", variantName(variant(variant_id))] },
        { title: "Days", numeric: true, of: both("days") },
        { title: "Impressions", numeric: true, of: both("impressions") },
        { title: "Successes", numeric: true, of: both("successes") },
        { title: "Successes per impression", numeric: true, of: ({ effective }) => rate(effective.impressions ? effective.successes / effective.impressions : null) },
      ],
      used.variants,
    ),
  );
}

function storedPanel(experiment, stored) {
  const variant = variantsById(experiment);
  const { experiment_id, currency } = experiment;
  const header = ["experiment_id", "variant_id", "date", "impressions", "successes", "revenue", "revenue_sq", "as_of"];
  const rows = () => stored.map((one) => header.map((name) => (name === "experiment_id" ? experiment_id : one[name])));
  return h(
    "section",
    { class: "panel", "aria-labelledby": "stored" },
    h("div", { class: "panel-head" }, h("h2", { id: "stored" }, "Stored daily totals"), csvButton("Download as CSV", `${experiment_id}.csv`, () => [header, rows()])),
    table(
      stored.length > MAX_ROWS ? `The newest ${count(MAX_ROWS)} of ${count(stored.length)} stored daily totals; the CSV has all` : "Stored daily totals, the newest first",
      [
        { title: "Date", of: ({ date }) => day(date) },
        { title: "Variant", of: ({ variant_id }) => [dot(variant(variant_id).index), " ", variantName(variant(variant_id))] },
        { title: "Impressions", numeric: true, of: ({ impressions }) => count(impressions) },
        { title: "Successes", numeric: true, of: ({ successes }) => count(successes) },
        currency && { title: "Revenue", numeric: true, of: ({ revenue }) => money(revenue, currency) },
        experiment.source !== "tracked" && { title: "Known through", of: ({ as_of: knownThrough }) => day(knownThrough) },
        { title: "Stored at", of: ({ updated_at }) => timestamp(updated_at) },
      ].filter(Boolean),
      stored.slice(-MAX_ROWS).reverse(),
    ),
  );
}
