/** The drag race: policies on the same customers, compared by the customer lifetime value they add. */

import { get } from "../api.js";
import { intervalText } from "../components/charts/interval.js";
import { saveFile } from "../components/data/csv-download.js";
import { table } from "../components/data/table.js";
import { attempt } from "../components/forms/dialog.js";
import { empty } from "../components/placeholders.js";
import { tile, tiles } from "../components/tiles.js";
import { h } from "../dom.js";
import { count, day, decimal, money, NONE, percent, plural } from "../format.js";
import { customersByProduct, lifetimeValues, priceBySpeed } from "./simulator/base-charts.js";
import { liveRace } from "./simulator/live-race.js";
import { simulatorPage } from "./simulator/page.js";
import { policyNames } from "./simulator/policy-names.js";
import { actionsByWeek, perPolicy, raceChart } from "./simulator/race-charts.js";

const euro = (amount) => money(amount, "EUR");

export function show(context) {
  let race = null;
  return simulatorPage(
    context,
    {
      name: "clv",
      path: "drag-race",
      request: "ClvRequest",
      first: ["policies", "days", "customers", "quota", "replications", "seed"],
      empty: empty("No run yet. The preset simulates a telco's year with 100,000 customers, ten times for each of five policies; press Run."),
      live: {
        show: (run, signal) => (race = liveRace(policyNames(run.request.policies), run.request.days, signal)).element,
        update: (interim) => race.update(interim),
      },
      headline,
      results,
    },
    [
      h("h1", {}, "Drag race"),
      h("p", { class: "lead" }, "Which customers are called or mailed, with which offer? Every policy meets the same customers and uses the same random numbers; the winner adds the most customer lifetime value (CLV), net of costs."),
    ],
  );
}

const ranked = (run) => {
  const names = policyNames(run.policies.map(({ policy }) => policy));
  const all = run.policies.map((result, index) => ({ ...result, name: names[index], index }));
  return { names, ranking: [...all].sort((a, b) => b.delta_clv.mean - a.delta_clv.mean) };
};

function headline(run) {
  const { name, delta_clv: added } = ranked(run).ranking[0];
  return `${name} wins with ${euro(added.mean)} of added lifetime value.`;
}

function results(run, signal) {
  const { names, ranking } = ranked(run);
  return [
    h("p", { class: "notice good headline" }, h("b", {}, headline(run)), ` Means over ${plural(run.replications, "replication")} of ${plural(run.days, "day")} from ${day(run.start)}.`),
    leaderboard(run, ranking),
    raceChart(run, names, signal),
    run.enumeration && bounds(run.enumeration),
    actions(run, names, ranking[0].index, signal),
    h("div", { class: "grid" }, perPolicy("Cost of the contacts", names, run.policies.map(({ cost }) => cost), euro, signal), perPolicy("Conversions", names, run.policies.map(({ conversions }) => conversions), (number) => count(Math.round(number)), signal)),
    h("h2", {}, "The simulated customers and products"),
    products(run),
    h("div", { class: "grid" }, customersByProduct(run, signal), priceBySpeed(run, signal), lifetimeValues(run, signal)),
  ];
}

function leaderboard(run, ranking) {
  const rows = ranking.map((result, i) => ({ ...result, rank: i + 1 }));
  return h(
    "section",
    { class: "panel", "aria-labelledby": "leaderboard" },
    h("h2", { id: "leaderboard" }, "Leaderboard"),
    table(
      "Leaderboard, the most added lifetime value first",
      [
        { title: "Policy", of: ({ rank, name }) => [h("span", { class: "rank" }, rank), " ", name] },
        { title: "Added CLV", numeric: true, of: ({ delta_clv: added }) => h("b", {}, euro(added.mean)) },
        { title: "95 % interval", numeric: true, of: ({ delta_clv: { interval_95: ends } }) => (ends ? intervalText(ends, euro) : NONE) },
        { title: "Times random", numeric: true, of: ({ ratio_to_random: ratio }) => (ratio ? `${decimal(ratio.mean)} ×` : NONE) },
        { title: "Contacts", numeric: true, of: ({ contacts }) => count(Math.round(contacts.mean)) },
        { title: "Conversions", numeric: true, of: ({ conversions }) => count(Math.round(conversions.mean)) },
        { title: "Cost", numeric: true, of: ({ cost }) => euro(cost.mean) },
        { title: "Log", of: (row) => logButton(run, row) },
      ],
      rows,
    ),
    h("p", { class: "buttons" }, exportButton(run, "summary", "Download the leaderboard as CSV"), exportButton(run, "curve", "Download the curves as CSV")),
  );
}

const readExport = (run, table, policy) => get(`/simulations/${run.id}/export`, { query: { table, policy } });

const exportButton = (run, table, label) =>
  h("button", { type: "button", class: "quiet", onclick: () => attempt(async () => saveFile(`drag-race-${table}.csv`, await readExport(run, table)), "Saved.", () => {}) }, label);

/** A button for a policy's decision log; the service simulates the policy again to write it, which takes a moment. */
function logButton(run, { name, index, policy }) {
  const button = h("button", { type: "button", class: "quiet", "aria-label": `Download the log of ${name}`, onclick: download }, "Download");
  return button;

  async function download() {
    button.disabled = true;
    button.textContent = "Preparing…";
    await attempt(async () => saveFile(`drag-race-${policy.kind}-log.csv`, await readExport(run, "log", index)), "Saved.", () => {});
    button.disabled = false;
    button.textContent = "Download";
  }
}

/** What is possible in this world, computed exactly. */
const bounds = ({ uniform, best_single_action: best, oracle, able_to_buy: able }) =>
  tiles(
    "Exact bounds of this world",
    tile("All actions equally often", euro(uniform), "expected, without learning"),
    tile("Best single action", euro(best.delta_clv), best.arm),
    tile("Oracle", euro(oracle), "the best action for each customer, known in advance"),
    tile("Able to buy", percent(able, 1), "of the customers could ever buy something"),
  );

function actions(run, names, winner, signal) {
  const content = h("div");
  const draw = (i) => content.replaceChildren(actionsByWeek(run, names[i], run.policies[i], signal));
  const choice = h("select", { id: "actions-of", onchange: () => draw(Number(choice.value)) }, names.map((name, i) => h("option", { value: i, selected: i === winner }, name)));
  draw(winner);
  return h("section", { class: "stack", "aria-label": "Chosen actions" }, h("p", { class: "inline" }, h("label", { for: "actions-of" }, "Actions chosen by"), choice), content);
}

const products = (run) =>
  h(
    "section",
    { class: "panel", "aria-labelledby": "products" },
    h("h3", { id: "products" }, "Products"),
    table(
      "Products",
      [
        { title: "Product", of: ({ name }) => name },
        { title: "Price a year", numeric: true, of: ({ price }) => euro(price) },
        { title: "Margin a year", numeric: true, of: ({ margin }) => euro(margin) },
        { title: "Mbit/s", numeric: true, of: ({ download }) => count(download) },
        { title: "Share of customers", numeric: true, of: ({ share }) => percent(share, 1) },
        { title: "Customers", numeric: true, of: ({ customers }) => count(customers) },
        { title: "On sale", of: ({ sold_until: until }) => (until ? `until ${day(until)}` : "yes") },
        { title: "Upgrades to", of: ({ eligible_for: offers }) => offers.join(", ") || "nothing" },
      ],
      run.products,
    ),
  );
