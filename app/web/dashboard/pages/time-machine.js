/** The bandit time machine: an e-mail campaign as it happened, with an even split, beside what a policy would have achieved. */

import { seriesColour } from "../components/charts/colours.js";
import { intervalText } from "../components/charts/interval.js";
import { table } from "../components/data/table.js";
import { dot } from "../components/experiment/share-bar.js";
import { empty } from "../components/placeholders.js";
import { h } from "../dom.js";
import { count, NONE, percent, plural, rate, signedPercent } from "../format.js";
import { conversionsOverTime, dynamics, traffic } from "./simulator/email-charts.js";
import { simulatorPage } from "./simulator/page.js";
import { policyNames } from "./simulator/policy-names.js";
import { stepSlider } from "./simulator/step-slider.js";

const SCENARIO = {
  name: "email",
  path: "time-machine",
  request: "EmailRequest",
  first: ["policies", "emails", "cadence", "days", "rates", "replications", "seed"],
  empty: empty("No run yet. The preset sends 10,000 e-mails with five subject lines; press Run to see what each policy achieves."),
  headline: (run) => headline(run, 0),
  results,
};

export const show = (context) =>
  simulatorPage(context, SCENARIO, [
    h("h1", {}, "Bandit time machine"),
    h("p", { class: "lead" }, "The same campaign in two worlds: as it happened, with every subject line sent equally often, and as it could have happened if a policy had decided. Both worlds use the same random numbers."),
  ]);

function results(run, signal) {
  const names = policyNames(run.policies.map(({ policy }) => policy));
  const worlds = h("div", { class: "stack" });
  const showWorld = (i) => worlds.replaceChildren(...twoWorlds(run, names, i, signal));
  showWorld(0);
  return [
    names.length > 1 && worldChoice(names, showWorld),
    worlds,
    h("h2", {}, "All policies"),
    allPolicies(run, names),
    conversionsOverTime(run, names, signal),
  ];
}

function worldChoice(names, onChoice) {
  const choice = h("select", { id: "world", onchange: () => onChoice(Number(choice.value)) }, names.map((name, i) => h("option", { value: i }, name)));
  return h("p", { class: "inline" }, h("label", { for: "world" }, "What could have happened with"), choice);
}

/** The lift as a sentence, with its sign in words. */
function headline(run, i) {
  const { lift } = run.policies[i];
  const name = policyNames(run.policies.map((one) => one.policy))[i];
  if (lift === null) return `${name} cannot be compared: the even split had no conversions.`;
  const direction = lift.mean >= 0 ? "more" : "fewer";
  return `${name} converts ${percent(Math.abs(lift.mean), 1)} ${direction} than the even split.`;
}

function twoWorlds(run, names, i, signal) {
  const pair = [
    { title: "What happened", policy: "Even split", result: run.even_split },
    { title: "What could have happened", policy: names[i], result: run.policies[i] },
  ];
  return [
    improvement(run, i),
    h("div", { class: "grid worlds" }, pair.map((world, place) => worldPanel(world, place, run))),
    h("div", { class: "grid" }, pair.map((world) => traffic(world, run, signal))),
    subjects(run, pair),
    dynamics(run, pair, signal),
    stepSlider(run, pair, signal),
  ];
}

function improvement(run, i) {
  const { lift } = run.policies[i];
  const good = lift !== null && lift.mean >= 0;
  return h(
    "section",
    { class: `notice improvement ${good ? "good" : "warn"}`, "aria-label": "Improvement" },
    h("b", { class: "large" }, lift === null ? NONE : signedPercent(lift.mean)),
    h("p", {}, headline(run, i), " ", lift && h("span", {}, uncertainty(lift, run.request.replications))),
  );
}

const uncertainty = (lift, replications) =>
  (lift.interval_95 ? `95 % interval over ${plural(replications, "replication")}: ${intervalText(lift.interval_95, signedPercent)}. ` : "One replication has no interval. ") +
  `Single campaigns: ${intervalText(lift.range_95, signedPercent)}.`;

function worldPanel({ title, policy, result }, place, run) {
  const id = `world-${place}`;
  return h(
    "section",
    { class: "panel world", "aria-labelledby": id },
    h("h2", { id }, title, " ", h("span", { class: "badge" }, policy)),
    h(
      "dl",
      { class: "kpis" },
      kpi("Sent", count(result.emails), "e-mails"),
      kpi("Conversions", count(Math.round(result.conversions.mean)), conversionInterval(result.conversions)),
      kpi("Rate", rate(result.rate), "of the e-mails"),
    ),
    h("div", { class: "bar", "aria-hidden": "true" }, result.subjects.map(({ share }, i) => h("span", { style: { width: `${100 * share}%`, background: seriesColour(i) } }))),
    h("ul", { class: "share-list", "aria-label": "Traffic by subject" }, result.subjects.map(({ name, share }, i) =>
      h("li", {}, dot(i), h("span", { class: "label" }, name), h("b", {}, percent(share, 1))))),
    run.request.holdout_percent > 0 && h("p", { class: "hint" }, `A further ${percent(run.request.holdout_percent / 100)} are in the hold-out.`),
  );
}

const kpi = (label, value, note) => h("div", {}, h("dt", {}, label), h("dd", {}, h("b", {}, value), h("span", { class: "hint" }, note)));

const conversionInterval = ({ interval_95: interval }) => (interval ? `95 %: ${intervalText(interval, (end) => count(Math.round(end)))}` : "one replication");

function subjects(run, [even, policy]) {
  const of = (world) => (format) => ({ index }) => format(world.result.subjects[index]);
  const rows = run.subjects.map((subject, index) => ({ ...subject, index }));
  const columns = (world, label) => [
    { title: `Sent, ${label}`, numeric: true, of: of(world)(({ sent }) => count(sent)) },
    { title: `Conversions, ${label}`, numeric: true, of: of(world)(({ conversions }) => count(conversions)) },
    { title: `Rate, ${label}`, numeric: true, of: of(world)((one) => rate(one.rate)) },
  ];
  return h(
    "section",
    { class: "panel", "aria-labelledby": "subjects" },
    h("h3", { id: "subjects" }, "By subject"),
    table(
      "Every subject in both worlds",
      [
        { title: "Subject", of: ({ index, name }) => [dot(index), " ", name] },
        { title: "True rate", numeric: true, of: (row) => rate(row.rate) },
        ...columns(even, "even split"),
        ...columns(policy, "policy"),
        { title: "Share of traffic", numeric: true, of: of(policy)(({ share }) => h("b", {}, percent(share, 1))) },
      ],
      rows,
    ),
    h("p", { class: "hint" }, `Means over ${plural(run.request.replications, "replication")}. Always sending the best subject would have ${count(Math.round(run.oracle_conversions))} conversions in expectation.`),
  );
}

function allPolicies(run, names) {
  const rows = [...run.policies.map((result, i) => ({ name: names[i], result })), { name: "Even split", result: run.even_split }];
  rows.sort((a, b) => b.result.conversions.mean - a.result.conversions.mean);
  const column = (title, of) => ({ title, numeric: true, of: ({ result }) => of(result) });
  return h(
    "section",
    { class: "panel" },
    table(
      "All policies, the most conversions first",
      [
        { title: "Policy", of: ({ name }) => name },
        column("Conversions", ({ conversions }) => count(Math.round(conversions.mean))),
        column("Against even split", ({ lift }) => h("b", {}, signedPercent(lift?.mean))),
        column("95 % interval", ({ lift }) => (lift?.interval_95 && lift.sd > 0 ? intervalText(lift.interval_95, signedPercent) : NONE)),
        column("Regret", (one) => count(Math.round(one.pseudo_regret.mean))),
        column("Share of the best subject", (one) => percent(one.top_arm_share?.mean, 1)),
        column("Profit", ({ profit }) => count(Math.round(profit.mean))),
        column("Decided after", ({ decision }) => (decision.days ? plural(Math.round(decision.days.mean), "day") : NONE)),
      ],
      rows,
    ),
    h("p", { class: "hint" }, "Regret: expected conversions lost compared with always sending the best subject. Decided after: the first day on which a subject is the best one with 95 % probability."),
  );
}
