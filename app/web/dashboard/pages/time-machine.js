/** The bandit time machine: a campaign as it happened, an even split, beside what a policy would have made of it. */

import { seriesColour } from "../charts.js";
import { intervalText } from "../components/interval.js";
import { table } from "../components/table.js";
import { h } from "../dom.js";
import { count, percent, plural, rate, signedPercent } from "../format.js";
import { conversionsOverTime, dynamics, traffic } from "./simulator/email-charts.js";
import { policyNames } from "./simulator/names.js";
import { empty } from "../components/states.js";
import { replaySlider } from "./simulator/slider.js";
import { simulatorPage } from "./simulator/page.js";

const SCENARIO = {
  name: "email",
  path: "time-machine",
  request: "EmailRequest",
  first: ["policies", "emails", "cadence", "days", "rates", "replications", "seed"],
  live: false,
  empty: empty("Nothing was played yet. The preset sends 10,000 e-mails with five subject lines; press Play to see what each policy makes of them."),
  headline: (run) => headline(run, 0),
  results,
};

export const show = (place) =>
  simulatorPage(place, SCENARIO, [
    h("h1", {}, "Bandit time machine"),
    h("p", { class: "lead" }, "The same campaign in two worlds: as it happened, with every subject line sent equally often, and as it could have happened, had a policy decided. Both meet the same luck."),
  ]);

function results(run, signal) {
  const names = policyNames(run.policies.map(({ policy }) => policy));
  const worlds = h("div", { class: "stack" });
  const showWorld = (place) => worlds.replaceChildren(...twoWorlds(run, names, place, signal));
  showWorld(0);
  return [
    names.length > 1 && worldChoice(names, showWorld),
    worlds,
    h("h2", {}, "Everybody who played"),
    everybody(run, names),
    conversionsOverTime(run, names, signal),
  ];
}

function worldChoice(names, chosen) {
  const choice = h("select", { id: "world", onchange: () => chosen(Number(choice.value)) }, names.map((name, i) => h("option", { value: i }, name)));
  return h("p", { class: "inline" }, h("label", { for: "world" }, "What could have happened with"), choice);
}

/** The lift as one sentence, with its sign in the words. */
function headline(run, place) {
  const { lift } = run.policies[place];
  const name = policyNames(run.policies.map((one) => one.policy))[place];
  if (lift === null) return `${name} cannot be compared: the even split had no conversions.`;
  const more = lift.mean >= 0 ? "more" : "fewer";
  return `${name} converts ${percent(Math.abs(lift.mean), 1)} ${more} than the even split.`;
}

function twoWorlds(run, names, place, signal) {
  const played = run.policies[place];
  const pair = [
    { title: "What happened", who: "Even split", played: run.even_split },
    { title: "What could have happened", who: names[place], played },
  ];
  return [
    improvement(run, place),
    h("div", { class: "grid worlds" }, pair.map((world, i) => worldPanel(world, i, run))),
    h("div", { class: "grid" }, pair.map((world) => traffic(world, run, signal))),
    subjects(run, pair),
    dynamics(run, pair, signal),
    replaySlider(run, pair, signal),
  ];
}

function improvement(run, place) {
  const { lift } = run.policies[place];
  const good = lift !== null && lift.mean >= 0;
  return h(
    "section",
    { class: `notice improvement ${good ? "good" : "warn"}`, "aria-label": "Improvement" },
    h("b", { class: "large" }, lift === null ? "–" : signedPercent(lift.mean)),
    h("p", {}, headline(run, place), " ", lift && h("span", {}, sure(lift, run.request.replications))),
  );
}

const sure = (lift, replications) =>
  (lift.interval_95 ? `95 % interval over ${plural(replications, "replication")}: ${intervalText(lift.interval_95, signedPercent)}. ` : "One replication tells no interval. ") +
  `Single campaigns: ${intervalText(lift.range_95, signedPercent)}.`;

function worldPanel({ title, who, played }, i, run) {
  const id = `world-${i}`;
  return h(
    "section",
    { class: "panel world", "aria-labelledby": id },
    h("h2", { id }, title, " ", h("span", { class: "badge" }, who)),
    h(
      "dl",
      { class: "kpis" },
      kpi("Sent", count(played.emails), "e-mails"),
      kpi("Conversions", count(Math.round(played.conversions.mean)), plusMinus(played.conversions)),
      kpi("Rate", rate(played.rate), "of the e-mails"),
    ),
    h("div", { class: "bar", "aria-hidden": "true" }, played.subjects.map(({ share }, place) => h("span", { style: { width: `${100 * share}%`, background: seriesColour(place) } }))),
    h("ul", { class: "legend", "aria-label": "Traffic by subject" }, played.subjects.map(({ name, share }, place) =>
      h("li", {}, h("i", { class: "dot", "aria-hidden": "true", style: { background: seriesColour(place) } }), h("span", { class: "word" }, name), h("b", {}, percent(share, 1))))),
    run.request.holdout_percent > 0 && h("p", { class: "hint" }, `Beside it ${percent(run.request.holdout_percent / 100)} were held out.`),
  );
}

const kpi = (word, figure, note) => h("div", {}, h("dt", {}, word), h("dd", {}, h("b", {}, figure), h("span", { class: "hint" }, note)));

const plusMinus = ({ interval_95: interval }) => (interval ? `95 %: ${intervalText(interval, (end) => count(Math.round(end)))}` : "one replication");

function subjects(run, [even, policy]) {
  const of = (world) => (figure) => (row, i) => figure(world.played.subjects[row.place]);
  const rows = run.subjects.map((subject, place) => ({ ...subject, place }));
  const columns = (world, word) => [
    { title: `Sent, ${word}`, figure: true, of: of(world)(({ sent }) => count(sent)) },
    { title: `Conversions, ${word}`, figure: true, of: of(world)(({ conversions }) => count(conversions)) },
    { title: `Rate, ${word}`, figure: true, of: of(world)((one) => rate(one.rate)) },
  ];
  return h(
    "section",
    { class: "panel", "aria-labelledby": "subjects" },
    h("h3", { id: "subjects" }, "Subject by subject"),
    table(
      "Every subject in both worlds",
      [
        { title: "Subject", of: (row) => [h("i", { class: "dot", "aria-hidden": "true", style: { background: seriesColour(row.place) } }), " ", row.name] },
        { title: "True rate", figure: true, of: (row) => rate(row.rate) },
        ...columns(even, "even split"),
        ...columns(policy, "policy"),
        { title: "Share of traffic", figure: true, of: of(policy)(({ share }) => h("b", {}, percent(share, 1))) },
      ],
      rows,
    ),
    h("p", { class: "hint" }, `Means over ${plural(run.request.replications, "replication")}. Always sending the best subject would convert ${count(Math.round(run.oracle_conversions))} in expectation.`),
  );
}

function everybody(run, names) {
  const rows = [...run.policies.map((played, i) => ({ name: names[i], played })), { name: "Even split", played: run.even_split }];
  rows.sort((a, b) => b.played.conversions.mean - a.played.conversions.mean);
  const spread = (of) => ({ figure: true, of: (row) => of(row.played) });
  return h(
    "section",
    { class: "panel" },
    table(
      "Everybody who played, the most conversions first",
      [
        { title: "Policy", of: ({ name }) => name },
        { title: "Conversions", ...spread(({ conversions }) => count(Math.round(conversions.mean))) },
        { title: "Against even split", ...spread(({ lift }) => h("b", {}, signedPercent(lift?.mean))) },
        { title: "95 % interval", ...spread(({ lift }) => (lift?.interval_95 && lift.sd > 0 ? intervalText(lift.interval_95, signedPercent) : "–")) },
        { title: "Regret", ...spread((one) => count(Math.round(one.pseudo_regret.mean))) },
        { title: "To the best subject", ...spread((one) => percent(one.top_arm_share?.mean, 1)) },
        { title: "Profit", ...spread(({ profit }) => count(Math.round(profit.mean))) },
        { title: "Sure after", ...spread(({ decision }) => (decision.days ? plural(Math.round(decision.days.mean), "day") : "–")) },
      ],
      rows,
    ),
    h("p", { class: "hint" }, "Regret: conversions given up, in expectation, against always sending the best subject. Sure: the first day on which a subject is the best one with 95 % probability."),
  );
}
