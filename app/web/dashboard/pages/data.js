/** One experiment's data: what is stored day by day, what was used of it, and a way to send more. */

import { get, getAll } from "../api.js";
import { csvButton } from "../components/download.js";
import { empty } from "../components/states.js";
import { experimentPage, readExperiment, replayAddress } from "../components/experiment.js";
import { go } from "../router.js";
import { count, day, daysBefore, moment, money, rate } from "../format.js";
import { h } from "../dom.js";
import { chosenPeriod, incomplete, MOST_TOTALS, periodChoice } from "../components/period.js";
import { dot } from "../components/shares.js";
import { table } from "../components/table.js";
import { uploadPanel } from "../components/upload.js";
import { variantName, variantsById } from "../components/names.js";

export async function show({ params: { id }, query, signal }) {
  const period = chosenPeriod(query);
  const since = period === "all" ? null : daysBefore(new Date().toISOString().slice(0, 10), Number(period));
  const [experiment, stored, { totals: used }] = await Promise.all([
    readExperiment(id, signal),
    getAll(`/metrics/${id}`, { query: { since }, signal, most: MOST_TOTALS }),
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
      incomplete(stored),
      stored.length ? storedPanel(experiment, stored) : empty(experiment.source === "tracked" ? "No unit was exposed in this time: look further back." : "No daily totals are stored in this time. Upload a CSV above, or look further back."),
    ),
  );
}

const trackedPanel = (id) =>
  h(
    "section",
    { class: "panel", "aria-labelledby": "tracked" },
    h("h2", { id: "tracked" }, "Where the totals come from"),
    h("p", {}, "This experiment is tracked: its totals are those of events sent to ", h("code", {}, "POST /events"), ", by the day of a unit's first exposure. Daily totals are not taken."),
    h("p", {}, h("a", { class: "button", href: replayAddress(id) }, "Judge other policies by its decisions")),
  );

const MOST = 1000; // rows of a table

function usedPanel(experiment, used) {
  const variant = variantsById(experiment);
  const both = (name) => ({ raw, effective }) => (raw[name] === effective[name] ? count(raw[name]) : `${count(effective[name])} of ${count(raw[name])}`);
  return h(
    "section",
    { class: "panel", "aria-labelledby": "used" },
    h("h2", { id: "used" }, "What decides today"),
    h(
      "p",
      { class: "hint" },
      `Days up to ${day(used.last_day)} may be used; the last with data is ${day(used.data_through)}.`,
      used.left_out.length ? ` Left out, because a variant has not reported: ${used.left_out.map(day).join(", ")}.` : "",
    ),
    table(
      "The totals that decide today",
      [
        { title: "Variant", of: ({ variant_id }) => [dot(variant(variant_id).place), " ", variantName(variant(variant_id))] },
        { title: "Days", figure: true, of: both("days") },
        { title: "Impressions", figure: true, of: both("impressions") },
        { title: "Successes", figure: true, of: both("successes") },
        { title: "Successes per impression", figure: true, of: ({ effective }) => rate(effective.impressions ? effective.successes / effective.impressions : null) },
      ],
      used.variants,
    ),
  );
}

function storedPanel(experiment, stored) {
  const variant = variantsById(experiment);
  const { experiment_id, currency } = experiment;
  const header = ["experiment_id", "variant_id", "date", "impressions", "successes", "revenue", "revenue_sq"];
  const rows = () => stored.map((one) => header.map((name) => (name === "experiment_id" ? experiment_id : one[name])));
  return h(
    "section",
    { class: "panel", "aria-labelledby": "stored" },
    h("div", { class: "panel-head" }, h("h2", { id: "stored" }, "Stored daily totals"), csvButton("Download as CSV", `${experiment_id}.csv`, () => [header, rows()])),
    table(
      stored.length > MOST ? `The newest ${count(MOST)} of ${count(stored.length)} stored daily totals; the CSV has all` : "Stored daily totals, the newest first",
      [
        { title: "Date", of: ({ date }) => day(date) },
        { title: "Variant", of: ({ variant_id }) => [dot(variant(variant_id).place), " ", variantName(variant(variant_id))] },
        { title: "Impressions", figure: true, of: ({ impressions }) => count(impressions) },
        { title: "Successes", figure: true, of: ({ successes }) => count(successes) },
        currency && { title: "Revenue", figure: true, of: ({ revenue }) => money(revenue, currency) },
        { title: "Stored", of: ({ updated_at }) => moment(updated_at) },
      ].filter(Boolean),
      stored.slice(-MOST).reverse(),
    ),
  );
}
