/** The race as curves: while it is run, and when it is over. */

import { chart, variantColour } from "../../charts.js";
import { count, money } from "../../format.js";
import { table } from "../../components/table.js";
import { h } from "../../dom.js";

const euro = (amount) => money(amount, "EUR");
const DAY = { field: "day", type: "quantitative", title: "day" };
const CLV = { type: "quantitative", title: "added CLV, EUR", axis: { format: "~s" } };
const ROWS = 26; // of the table behind a curve

/** Cumulative delta CLV of every policy, with the range of single runs. */
export function race(run, names, signal) {
  const last = run.days - 1;
  const every = Math.max(1, Math.ceil(run.days / 180));
  const shown = Array.from({ length: run.days }, (_, i) => i).filter((i) => i % every === 0 || i === last);
  const values = run.policies.flatMap(({ by_day: line }, p) => shown.map((i) => ({ variant: names[p], day: i + 1, mean: line.mean[i], low: line.low[i], high: line.high[i] })));
  const x = { ...DAY, scale: { domain: [1, run.days], nice: false } };
  return chart(
    "Added customer lifetime value",
    {
      data: { values },
      height: 380,
      encoding: { x, color: variantColour(names) },
      layer: [
        { mark: { type: "area", opacity: 0.14 }, encoding: { y: { field: "low", ...CLV }, y2: { field: "high" } } },
        { mark: { type: "line", strokeWidth: 2.5 }, encoding: { y: { field: "mean", ...CLV } } },
      ],
    },
    {
      summary: `${names.map((name, p) => `${name} ends at ${euro(run.policies[p].delta_clv.mean)}`).join(", ")}. Bands hold 95 % of single runs.`,
      signal,
      figures: {
        columns: [{ title: "Day", of: (i) => i + 1 }, ...names.map((name, p) => ({ title: name, figure: true, of: (i) => euro(run.policies[p].by_day.mean[i]) }))],
        rows: thinned(run.days),
      },
    },
  );
}

const thinned = (days) => {
  const every = Math.ceil(days / ROWS);
  return Array.from({ length: days }, (_, i) => i).filter((i) => (days - 1 - i) % every === 0);
};

/** The race while it is run: a chart that grows with each standing that arrives. */
export function raceSoFar(names, days, signal) {
  let view = null;
  let standing = { days: [], policies: [] };
  const leaders = h("div", { class: "leaders", "aria-live": "off" });
  const figure = chart(
    "The race so far",
    {
      data: { name: "race", values: [{ variant: names[0], day: 1, mean: 0 }] },
      height: 380,
      mark: { type: "line", strokeWidth: 2.5 },
      encoding: { x: { ...DAY, scale: { domain: [1, days], nice: false } }, y: { field: "mean", ...CLV }, color: variantColour(names) },
    },
    { summary: "Mean added CLV of every policy by day, as far as it was played.", signal, whenDrawn: (drawn) => ((view = drawn), draw()), figures: { columns: [], rows: [] } },
  );
  figure.querySelector("details").replaceChildren(h("summary", {}, "Figures"), leaders);
  return {
    element: figure,
    show(told) {
      standing = told;
      draw();
    },
  };

  function draw() {
    const values = standing.policies.flatMap((means, p) => means.map((mean, i) => ({ variant: names[p], day: standing.days[i], mean })));
    if (values.length) view?.data("race", values).run();
    const now = names.map((name, p) => ({ name, mean: standing.policies[p]?.at(-1) ?? null }));
    leaders.replaceChildren(table(`After ${count(standing.days.at(-1) ?? 0)} days`, [{ title: "Policy", of: ({ name }) => name }, { title: "Added CLV", figure: true, of: ({ mean }) => euro(mean) }], now));
  }
}

/** What a policy chose, week by week: contacts by product, the channels in lighter and darker shades. */
export function actionsByWeek(run, name, played, signal) {
  const products = [...new Set(run.actions.map(({ product }) => product))];
  const channels = [...new Set(run.actions.map(({ channel }) => channel))];
  const offers = products.flatMap((product) => channels.map((channel) => ({ product, channel })));
  const contacts = played.actions_by_day.map((arms) =>
    offers.map((offer) => run.actions.reduce((sum, action, i) => (action.product === offer.product && action.channel === offer.channel ? sum + arms[i] : sum), 0)),
  );
  const values = contacts.flatMap((row, i) => row.map((number, o) => ({ day: i, variant: offers[o].product, ...offers[o], contacts: number })));
  const total = offers.map((_, o) => contacts.reduce((sum, row) => sum + row[o], 0));
  return chart(
    `Actions chosen by ${name}`,
    {
      data: { values },
      height: 300,
      transform: [
        { calculate: "floor(datum.day / 7) + 1", as: "week" },
        { aggregate: [{ op: "sum", field: "contacts", as: "contacts" }], groupby: ["week", "variant", "channel"] },
      ],
      mark: { type: "bar", width: { band: 1 } },
      encoding: {
        x: { field: "week", type: "ordinal", title: "week", axis: { labelAngle: 0, labelOverlap: true } },
        y: { field: "contacts", type: "quantitative", title: "contacts a week", stack: "zero" },
        color: variantColour(products),
        opacity: { condition: { test: `datum.channel !== ${JSON.stringify(channels[0])}`, value: 0.5 }, value: 1 },
        order: { field: "variant" },
        tooltip: [{ field: "week" }, { field: "variant", title: "product" }, { field: "channel" }, { field: "contacts", format: ".0f" }],
      },
    },
    {
      summary: `Contacts per week by product; full colour is ${channels[0]}, the lighter one ${channels.slice(1).join(", ") || "nothing else"}. Most often: ${describe(offers[total.indexOf(Math.max(...total))])}.`,
      signal,
      figures: {
        columns: [{ title: "Offer", of: ({ offer }) => describe(offer) }, { title: "Contacts in all", figure: true, of: ({ contacts: number }) => count(Math.round(number)) }],
        rows: offers.map((offer, o) => ({ offer, contacts: total[o] })),
      },
      tools: [h("span", { class: "hint" }, `full colour: ${channels[0]}${channels.length > 1 ? `, lighter: ${channels.slice(1).join(", ")}` : ""}`)],
    },
  );
}

const describe = ({ product, channel }) => `${product}, ${channel}`;

/** One figure of each policy as a bar with the interval of its mean. */
export function perPolicy(title, names, figures, written, signal) {
  const values = figures.map(({ mean, interval_95: interval }, p) => ({ variant: names[p], mean, low: interval?.[0] ?? mean, high: interval?.[1] ?? mean }));
  const y = { field: "variant", type: "nominal", sort: null, title: null, axis: { labelLimit: 170, domain: false, ticks: false } };
  return chart(
    title,
    {
      data: { values },
      height: Math.max(140, 36 * names.length),
      layer: [
        { mark: { type: "bar", cornerRadiusEnd: 3, height: { band: 0.65 } }, encoding: { y, x: { field: "mean", type: "quantitative", title: null, axis: { format: "~s", tickCount: 5 } }, color: { ...variantColour(names), legend: null } } },
        { mark: { type: "rule", strokeWidth: 2 }, encoding: { y, x: { field: "low", type: "quantitative" }, x2: { field: "high" } } },
      ],
    },
    {
      summary: values.map(({ variant, mean }) => `${variant} ${written(mean)}`).join(", "),
      signal,
      figures: {
        columns: [
          { title: "Policy", of: ({ variant }) => variant },
          { title: "Mean", figure: true, of: ({ mean }) => written(mean) },
          { title: "95 % interval", figure: true, of: ({ low, high }) => (low === high ? "–" : `${written(low)} to ${written(high)}`) },
        ],
        rows: values,
      },
    },
  );
}
