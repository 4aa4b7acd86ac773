/** One experiment today: the shares and the reasons for them, the estimates of each variant, and the effect so far. */

import { go } from "../../addresses.js";
import { get, getWhole } from "../../api.js";
import { MAX_DRAWN } from "../../components/charts/chart.js";
import { intervalLines, intervalText, unbrokenInterval } from "../../components/charts/interval.js";
import { table } from "../../components/data/table.js";
import { adviceNotice } from "../../components/experiment/advice.js";
import { gateBadges } from "../../components/experiment/badges.js";
import { experimentPage, readExperiment } from "../../components/experiment/header.js";
import { holdoutPanel } from "../../components/experiment/holdout.js";
import { controlBadge, nameWithId, variantName, variantsById } from "../../components/experiment/names.js";
import { rolloutButton } from "../../components/experiment/rollout.js";
import { dot, shareBar } from "../../components/experiment/share-bar.js";
import { empty, sentence } from "../../components/placeholders.js";
import { tile, tiles } from "../../components/tiles.js";
import { h } from "../../dom.js";
import { count, day, daysAgo, money, NONE, percent, perImpression, plural, probability, rate, share, signedCount } from "../../format.js";
import { againstControl } from "./control-comparison.js";
import { densities } from "./densities.js";

export async function show({ params: { id }, signal }) {
  const read = (path) => get(path, { signal });
  const [experiment, gain, response, comparison, posterior] = await Promise.all([
    readExperiment(id, signal),
    read(`/experiments/${id}/gain`),
    getWhole(`/allocations/${id}`, { signal }).catch(ifNoActiveVariant),
    read(`/experiments/${id}/comparison`).catch(ifNoActiveVariant),
    read(`/experiments/${id}/posterior?points=45`).catch(ifNoActiveVariant),
  ]);
  const holdout = experiment.source === "tracked" ? (await read(`/experiments/${id}/estimates`)).holdout : null;
  if (response.conflict) {
    return experimentPage(experiment, null, [], empty(sentence(response.conflict), "Add a variant under Settings."));
  }
  const { body: allocation, headers } = response;
  return experimentPage(
    experiment,
    null,
    gateBadges(allocation.gates),
    headers.has("Groundhog-Stale") &&
      h("p", { class: "notice warn", role: "status" }, "The database is unavailable: this is the last allocation that was served."),
    split(experiment, allocation),
    facts(experiment, allocation, gain),
    h(
      "div",
      { class: "grid" },
      allocation.data_through ? densities(experiment, posterior, allocation, signal) : noData(experiment),
      reasons(allocation),
      againstControl(experiment, allocation, comparison),
      holdout && holdoutPanel(holdout, allocation.currency),
    ),
  );
}

/** Having no active variant is a state of an experiment, not a failure of the page. */
function ifNoActiveVariant(error) {
  if (error.status === 409) return { conflict: error };
  throw error;
}

function split(experiment, allocation) {
  const variant = variantsById(experiment);
  return h(
    "section",
    { class: "panel", "aria-labelledby": "split" },
    h(
      "div",
      { class: "panel-head" },
      h("h2", { id: "split" }, `Shares of ${day(allocation.date)}`),
      rolloutButton(experiment, allocation, () => go(`experiments/${experiment.experiment_id}`)),
    ),
    shareBar(experiment, allocation.allocations, { listed: 0 }),
    variantsTable(experiment, allocation, variant),
    adviceNotice(allocation, (id) => variantName(variant(id))),
  );
}

/** A variant without impressions has only its prior, which says nothing about it: its estimates are left out. */
function variantsTable(experiment, allocation, variant) {
  const tried = ({ impressions }) => impressions > 0;
  const line = intervalLines(allocation.variants.filter(tried));
  const byValue = allocation.objective === "value";
  const outcome = byValue ? (amount) => perImpression(amount, allocation.currency) : rate;
  const estimate = (title, of) => ({ title, numeric: true, of: (row) => (tried(row) ? of(row) : NONE) });
  const columns = [
    { title: "Variant", of: ({ variant_id }) => described(experiment, variant(variant_id)) },
    { title: "Share", numeric: true, of: (row) => h("b", {}, share(row.share)) },
    estimate("P(best)", (row) => probability(row.p_best)),
    estimate("Rate", (row) => rate(row.mean)),
    { title: "95 % interval", of: (row) => (tried(row) ? [line(row, variant(row.variant_id).index), h("span", { class: "hint" }, intervalText(row.interval_95))] : h("span", { class: "hint" }, "no data yet")) },
    byValue && estimate("Value per impression", (row) => [outcome(row.value_per_impression), row.value_interval_95 && h("span", { class: "hint" }, intervalText(row.value_interval_95, outcome))]),
    estimate("Expected loss", (row) => outcome(row.expected_loss)),
    allocation.delay && { title: "Matured", numeric: true, of: (row) => percent(row.matured, 1) },
    { title: "Impressions", numeric: true, of: (row) => count(row.impressions) },
    { title: "Successes", numeric: true, of: (row) => count(row.successes) },
  ];
  const rows = allocation.variants.length > MAX_DRAWN ? [...allocation.variants].sort((a, b) => b.share - a.share) : allocation.variants;
  return table(`Variants on ${day(allocation.date)}`, columns.filter(Boolean), rows);
}

const described = (experiment, variant) => [
  dot(variant.index),
  " ",
  nameWithId(variantName(variant), variant.variant_id),
  controlBadge(experiment, variant.variant_id),
  variant.description && h("span", { class: "hint" }, variant.description),
];

function facts(experiment, allocation, gain) {
  const since = allocation.data_through;
  const { conversions, value, currency } = gain;
  const amount = (number) => money(number, currency, true);
  return tiles(
    "Key numbers",
    tile(
      "Extra conversions",
      conversions ? signedCount(conversions.mean) : NONE,
      conversions
        ? [`against an even split, over ${plural(gain.days, "day")}; `, unbrokenInterval(conversions.interval_95, signedCount)]
        : "available once there are data",
    ),
    currency &&
      tile(
        "Extra value",
        value ? amount(value.mean) : NONE,
        value ? ["against an even split; ", unbrokenInterval(value.interval_95, amount)] : "available once every variant has revenue",
      ),
    allocation.objective === "conversion" &&
      tile("Value remaining", since ? percent(allocation.value_remaining) : NONE, "by which another variant may still beat the leader (95 %)"),
    allocation.delay &&
      tile("Matured", percent(allocation.delay.matured, 1), "of the conversions have come; impressions count as far as theirs have"),
    tile("Data through", since ? daysAgo(since, allocation.date) : "no data", since ? day(since) : experiment.source === "tracked" ? experiment.cadence === "hour" ? "units count from the next full hour on" : "today's units count from tomorrow on" : "send daily totals to begin"),
    tile("Policy", allocation.policy.kind.replaceAll("_", " "), experiment.objective === "value" ? `by value, in ${experiment.currency}` : "by conversions"),
  );
}

const noData = (experiment) => (experiment.source === "tracked" ? noTrackedData(experiment) : noReportedData(experiment));

const noTrackedData = (experiment) =>
  empty(
    "No complete day of data yet: until there is one, every variant gets the same share.",
    h("span", {}, "Assign units of ", h("code", {}, experiment.experiment_id), " with ", h("code", {}, "POST /assignments"), " and send their exposures and conversions to ", h("code", {}, "POST /events"), "."),
  );

const noReportedData = (experiment) =>
  empty(
    "No data yet: until there are, every variant gets the same share.",
    h("a", { class: "button primary", href: "#/upload" }, "Upload a CSV"),
    h("span", {}, "or send daily totals of ", h("code", {}, experiment.experiment_id), " to ", h("code", {}, "POST /metrics/")),
  );

const reasons = (allocation) =>
  h(
    "section",
    { class: "panel", "aria-labelledby": "why" },
    h("h3", { id: "why" }, "Why these shares"),
    h("ul", { class: "reasons" }, allocation.explain.map((reason) => h("li", {}, reason))),
    h("p", { class: "hint" }, "Revision ", h("code", {}, allocation.revision), allocation.recorded ? ", recorded." : ", not recorded."),
  );
