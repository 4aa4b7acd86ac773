/** The drag race: policies over the same customer base, by the customer lifetime value they add. */

import { get } from "../api.js";
import { attempt } from "../components/dialog.js";
import { save } from "../components/download.js";
import { intervalText } from "../components/interval.js";
import { empty } from "../components/states.js";
import { table } from "../components/table.js";
import { h } from "../dom.js";
import { count, day, figure, money, percent, plural } from "../format.js";
import { actionsByWeek, perPolicy, raceSoFar, race } from "./simulator/race-charts.js";
import { baseByProduct, lifetimeValues, priceAgainstSpeed } from "./simulator/base-charts.js";
import { policyNames } from "./simulator/names.js";
import { simulatorPage } from "./simulator/page.js";

const euro = (amount) => money(amount, "EUR");

export function show(place) {
  let live = null;
  return simulatorPage(
    place,
    {
      name: "clv",
      path: "drag-race",
      request: "ClvRequest",
      first: ["policies", "days", "customers", "quota", "replications", "seed"],
      live: true,
      empty: empty("Nothing was raced yet. The preset plays a telco's year with 100,000 customers, ten times over for each of five policies; press Play and watch."),
      waiting: (run, signal) => (live = raceSoFar(policyNames(run.request.policies), run.request.days, signal)).element,
      standing: (standing) => live.show(standing),
      headline,
      results,
    },
    [
      h("h1", {}, "Drag race"),
      h("p", { class: "lead" }, "Who is called or mailed with which offer? Every policy meets the same customers with the same luck; the winner is who adds the most to customer lifetime value (CLV), costs taken off."),
    ],
  );
}

const ranked = (run) => {
  const names = policyNames(run.policies.map(({ policy }) => policy));
  const all = run.policies.map((played, place) => ({ ...played, name: names[place], place }));
  return { names, board: [...all].sort((a, b) => b.delta_clv.mean - a.delta_clv.mean) };
};

function headline(run) {
  const { name, delta_clv: won } = ranked(run).board[0];
  return `${name} wins with ${euro(won.mean)} of added lifetime value.`;
}

function results(run, signal) {
  const { names, board } = ranked(run);
  return [
    h("p", { class: "notice good headline" }, h("b", {}, headline(run)), ` Means over ${plural(run.replications, "replication")} of ${plural(run.days, "day")} from ${day(run.start)}.`),
    leaderBoard(run, board),
    race(run, names, signal),
    run.enumeration && yardsticks(run.enumeration),
    actions(run, names, board[0].place, signal),
    h("div", { class: "grid" }, perPolicy("Cost of the contacts", names, run.policies.map(({ cost }) => cost), euro, signal), perPolicy("Conversions", names, run.policies.map(({ conversions }) => conversions), (number) => count(Math.round(number)), signal)),
    h("h2", {}, "The world they met"),
    products(run),
    h("div", { class: "grid" }, baseByProduct(run, signal), priceAgainstSpeed(run, signal), lifetimeValues(run, signal)),
  ];
}

function leaderBoard(run, board) {
  const interval = ({ interval_95: ends }) => (ends ? intervalText(ends, euro) : "–");
  return h(
    "section",
    { class: "panel", "aria-labelledby": "leaders" },
    h("h2", { id: "leaders" }, "Leader board"),
    table(
      "Leader board, the most added lifetime value first",
      [
        { title: "Policy", of: (row) => [h("span", { class: "rank" }, board.indexOf(row) + 1), " ", row.name] },
        { title: "Added CLV", figure: true, of: ({ delta_clv: won }) => h("b", {}, euro(won.mean)) },
        { title: "95 % interval", figure: true, of: ({ delta_clv: won }) => interval(won) },
        { title: "Times random", figure: true, of: ({ ratio_to_random: ratio }) => (ratio ? `${figure(ratio.mean)} ×` : "–") },
        { title: "Contacts", figure: true, of: ({ contacts }) => count(Math.round(contacts.mean)) },
        { title: "Conversions", figure: true, of: ({ conversions }) => count(Math.round(conversions.mean)) },
        { title: "Cost", figure: true, of: ({ cost }) => euro(cost.mean) },
        { title: "Its log", of: (row) => logButton(run, row) },
      ],
      board,
    ),
    h("p", { class: "buttons" }, exportButton(run, "summary", "Download the board as CSV"), exportButton(run, "curve", "Download the curves as CSV")),
  );
}

const exported = (run, table, policy) => get(`/simulations/${run.id}/export`, { query: { table, policy } });

const exportButton = (run, table, words) =>
  h("button", { type: "button", class: "quiet", onclick: () => attempt(async () => save(`drag-race-${table}.csv`, await exported(run, table)), "Saved.", () => {}) }, words);

/** A policy's log is played again to be written down: that takes a moment. */
function logButton(run, { name, place, policy }) {
  const button = h("button", { type: "button", class: "quiet", "aria-label": `Download the log of ${name}`, onclick: download }, "Download");
  return button;

  async function download() {
    button.disabled = true;
    button.textContent = "Making it…";
    await attempt(async () => save(`drag-race-${policy.kind}-log.csv`, await exported(run, "log", place)), "Saved.", () => {});
    button.disabled = false;
    button.textContent = "Download";
  }
}

function yardsticks({ uniform, best_single_action: best, oracle, able_to_buy: able }) {
  const tile = (word, amount, note) => h("div", { class: "tile" }, h("dt", {}, word), h("dd", {}, h("b", {}, amount), h("span", { class: "hint" }, note)));
  return h(
    "dl",
    { class: "tiles", "aria-label": "What is possible in this world, exactly" },
    tile("Any action, equally often", euro(uniform), "expected, without learning"),
    tile("Best single action", euro(best.delta_clv), best.arm),
    tile("Oracle", euro(oracle), "the best action for each customer, known beforehand"),
    tile("Able to buy", percent(able, 1), "of the base could ever buy something"),
  );
}

function actions(run, names, winner, signal) {
  const place = h("div");
  const draw = (i) => place.replaceChildren(actionsByWeek(run, names[i], run.policies[i], signal));
  const choice = h("select", { id: "actions-of", onchange: () => draw(Number(choice.value)) }, names.map((name, i) => h("option", { value: i, selected: i === winner }, name)));
  draw(winner);
  return h("section", { class: "stack", "aria-label": "Chosen actions" }, h("p", { class: "inline" }, h("label", { for: "actions-of" }, "What was chosen by"), choice), place);
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
        { title: "Price a year", figure: true, of: ({ price }) => euro(price) },
        { title: "Margin a year", figure: true, of: ({ margin }) => euro(margin) },
        { title: "Mbit/s", figure: true, of: ({ download }) => count(download) },
        { title: "Share of base", figure: true, of: ({ share }) => percent(share, 1) },
        { title: "Customers", figure: true, of: ({ customers }) => count(customers) },
        { title: "On sale", of: ({ sold_until: until }) => (until ? `until ${day(until)}` : "yes") },
        { title: "Its customers may buy", of: ({ eligible_for: offers }) => offers.join(", ") || "nothing" },
      ],
      run.products,
    ),
  );
