/** One experiment today: who gets what share and why, what is known of each variant, and what it has brought. */

import { get, getWhole } from "../api.js";
import { go } from "../router.js";
import { adviceNotice } from "../components/advice.js";
import { gateBadges } from "../components/badges.js";
import { chart, FEW, variantColour } from "../charts.js";
import { h } from "../dom.js";
import { experimentPage, readExperiment } from "../components/experiment.js";
import { count, day, daysAgo, money, percent, perImpression, plural, points, probability, rate, share, signedCount, signedPercent } from "../format.js";
import { holdoutPanel } from "../components/holdout.js";
import { intervalLines, intervalText, wholeInterval } from "../components/interval.js";
import { named, variantName, variantsById } from "../components/names.js";
import { rolloutButton } from "../components/rollout.js";
import { dot, shareBar } from "../components/shares.js";
import { empty, sentence } from "../components/states.js";
import { table } from "../components/table.js";

export async function show({ params: { id }, signal }) {
  const asked = (path) => get(path, { signal });
  const [experiment, gain, answer, comparison, posterior] = await Promise.all([
    readExperiment(id, signal),
    asked(`/experiments/${id}/gain`),
    getWhole(`/allocations/${id}`, { signal }).catch(ifNobodyIsActive),
    asked(`/experiments/${id}/comparison`).catch(ifNobodyIsActive),
    asked(`/experiments/${id}/posterior?points=45`).catch(ifNobodyIsActive),
  ]);
  const holdout = experiment.source === "tracked" ? (await asked(`/experiments/${id}/estimates`)).holdout : null;
  if (answer.refused) {
    return experimentPage(experiment, null, [], empty(sentence(answer.refused), "Add a variant under Settings."));
  }
  const { body: allocation, headers } = answer;
  return experimentPage(
    experiment,
    null,
    gateBadges(allocation.gates),
    headers.has("Groundhog-Stale") &&
      h("p", { class: "notice warn", role: "status" }, "The database is away: this is the last answer that was served."),
    split(experiment, allocation),
    facts(experiment, allocation, gain),
    h(
      "div",
      { class: "grid" },
      allocation.data_through ? densities(experiment, posterior, allocation, signal) : nothingKnown(experiment),
      reasons(allocation),
      againstControl(experiment, allocation, comparison),
      holdout && holdoutPanel(holdout, allocation.currency),
    ),
  );
}

/** No active variant is a state of an experiment, not a failure of the page. */
function ifNobodyIsActive(error) {
  if (error.status === 409) return { refused: error };
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
    shareBar(experiment, allocation.allocations, { most: 0 }),
    variantsTable(allocation, variant),
    adviceNotice(allocation, (id) => variantName(variant(id))),
  );
}

function variantsTable(allocation, variant) {
  const line = intervalLines(allocation.variants);
  const byValue = allocation.objective === "value";
  const outcome = byValue ? (amount) => perImpression(amount, allocation.currency) : rate;
  const columns = [
    { title: "Variant", of: ({ variant_id }) => described(variant(variant_id)) },
    { title: "Share", figure: true, of: (row) => h("b", {}, share(row.share)) },
    { title: "P(best)", figure: true, of: (row) => probability(row.p_best) },
    { title: "Rate", figure: true, of: (row) => rate(row.mean) },
    { title: "95 % interval", of: (row) => [line(row, variant(row.variant_id).place), h("span", { class: "hint" }, intervalText(row.interval_95))] },
    byValue && { title: "Earns per impression", figure: true, of: (row) => [outcome(row.value_per_impression), row.value_interval_95 && h("span", { class: "hint" }, intervalText(row.value_interval_95, outcome))] },
    { title: "Expected loss", figure: true, of: (row) => outcome(row.expected_loss) },
    { title: "Impressions", figure: true, of: (row) => count(row.impressions) },
    { title: "Successes", figure: true, of: (row) => count(row.successes) },
  ];
  return table(`Variants on ${day(allocation.date)}`, columns.filter(Boolean), ordered(allocation.variants));
}

/** Rows of variants in the order of registration; of many, the largest shares come first. */
const ordered = (rows) => (rows.length > FEW ? [...rows].sort((a, b) => b.share - a.share) : rows);

/** A variant's name beside its id, and what it is. */
const described = (variant) => [
  dot(variant.place),
  " ",
  named(variantName(variant), variant.variant_id),
  variant.description && h("span", { class: "hint" }, variant.description),
];

function facts(experiment, allocation, gain) {
  const since = allocation.data_through;
  const { conversions, value, currency } = gain;
  return h(
    "dl",
    { class: "tiles" },
    tile(
      "Extra conversions",
      conversions ? signedCount(conversions.mean) : "–",
      conversions
        ? [`against an even split, over ${plural(gain.days, "day")}; `, wholeInterval(conversions.interval_95, signedCount)]
        : "appear with the first data",
    ),
    currency &&
      tile(
        "Extra value",
        value ? money(value.mean, currency, true) : "–",
        value ? ["against an even split; ", wholeInterval(value.interval_95, (amount) => money(amount, currency, true))] : "once every variant has revenue",
      ),
    allocation.objective === "conversion" &&
      tile("Value remaining", since ? percent(allocation.value_remaining) : "–", "by which another may still beat the leader (95 %)"),
    tile("Data up to", since ? daysAgo(since, allocation.date) : "none yet", since ? day(since) : experiment.source === "tracked" ? "the units of today count tomorrow" : "send daily totals to begin"),
    tile("Policy", allocation.policy.kind.replaceAll("_", " "), experiment.objective === "value" ? `by value, in ${experiment.currency}` : "by conversions"),
  );
}

const tile = (word, figure, note) =>
  h("div", { class: "tile" }, h("dt", {}, word), h("dd", {}, h("b", {}, figure), h("span", { class: "hint" }, note)));

function densities(experiment, { curves }, allocation, signal) {
  const variant = variantsById(experiment);
  const name = (id) => variantName(variant(id));
  const likeliest = new Set([...allocation.variants].sort((a, b) => b.p_best - a.p_best).slice(0, FEW).map(({ variant_id }) => variant_id));
  const drawn = curves.filter(({ variant_id }) => likeliest.has(variant_id));
  const values = drawn.flatMap(({ variant_id, rate, density }) =>
    rate.map((x, i) => ({ variant: name(variant_id), rate: x, density: density[i] })),
  );
  const best = allocation.variants.reduce((a, b) => (b.mean > a.mean ? b : a));
  return chart(
    "What is known of each rate",
    {
      data: { values },
      mark: { type: "area", opacity: 0.28, line: { strokeWidth: 2 }, interpolate: "monotone" },
      encoding: {
        x: { field: "rate", type: "quantitative", title: "rate", axis: { format: ".1%" }, scale: { zero: false, nice: false } },
        y: { field: "density", type: "quantitative", title: null, axis: null, stack: null },
        color: variantColour(experiment.variants.map(variantName), drawn.map(({ variant_id }) => name(variant_id))),
      },
    },
    {
      summary: `Posterior densities of ${drawn.length < curves.length ? `the ${drawn.length} likeliest of ` : ""}${plural(curves.length, "variant")}; the highest mean is ${name(best.variant_id)} with ${rate(best.mean)}.`,
      signal,
      figures: {
        columns: [
          { title: "Variant", of: (row) => name(row.variant_id) },
          { title: "Mean", figure: true, of: (row) => rate(row.mean) },
          { title: "95 % interval", of: (row) => intervalText(row.interval_95) },
        ],
        rows: ordered(allocation.variants),
      },
    },
  );
}

const nothingKnown = (experiment) => (experiment.source === "tracked" ? nothingTracked(experiment) : nothingReported(experiment));

const nothingTracked = (experiment) =>
  empty(
    "Nothing decides yet: until there are data of a day that is over, everybody gets the same share.",
    h("span", {}, "Assign units of ", h("code", {}, experiment.experiment_id), " with ", h("code", {}, "POST /assignments"), " and send their exposures and conversions to ", h("code", {}, "POST /events"), "."),
  );

const nothingReported = (experiment) =>
  empty(
    "No data yet: until there are, everybody gets the same share.",
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

function againstControl(experiment, allocation, comparison) {
  const variant = variantsById(experiment);
  const control = comparison.control && variant(comparison.control);
  if (!control) {
    return h("section", { class: "panel wide" }, h("h3", {}, "Against the control"), h("p", { class: "hint" }, "The control takes no part today: there is nothing to compare with."));
  }
  const byValue = allocation.objective === "value";
  const difference = byValue ? (amount) => perImpression(amount, allocation.currency, true) : points;
  return h(
    "section",
    { class: "panel wide", "aria-labelledby": "control" },
    h("h3", { id: "control" }, `Against the control, ${variantName(control)}`),
    table(
      "Every variant against the control",
      [
        { title: "Variant", of: (row) => [dot(variant(row.variant_id).place), " ", variantName(variant(row.variant_id))] },
        { title: byValue ? "Difference per impression" : "Difference, percentage points", figure: true, of: (row) => difference(row.difference) },
        { title: "Relative", figure: true, of: (row) => signedPercent(row.relative) },
        { title: "Better with probability", figure: true, of: (row) => h("b", {}, probability(row.p_better)) },
      ],
      compared(comparison.variants),
    ),
  );
}

const compared = (rows) => (rows.length > FEW ? [...rows].sort((a, b) => b.difference - a.difference) : rows);
