/** Charts of the drag race. */

import { chart, legendOf, variantColour } from "../../components/charts/chart.js";
import { count, money } from "../../format.js";

const euro = (amount) => money(amount, "EUR");

/** The axes of added lifetime value by day. */
export const DAY = { field: "day", type: "quantitative", title: "day" };
export const CLV = { type: "quantitative", title: "added CLV, EUR", axis: { format: "~s" } };
export const RACE_HEIGHT = 430;

const TABLE_ROWS = 26;
const MAX_POINTS = 180; // of a line

/** Cumulative added lifetime value of every policy, with the range of single runs. */
export function raceChart(run, names, signal) {
  const last = run.days - 1;
  const every = Math.max(1, Math.ceil(run.days / MAX_POINTS));
  const days = Array.from({ length: run.days }, (_, i) => i);
  const shown = days.filter((i) => i % every === 0 || i === last);
  const values = run.policies.flatMap(({ by_day: line }, p) => shown.map((i) => ({ variant: names[p], day: i + 1, mean: line.mean[i], low: line.low[i], high: line.high[i] })));
  const tableEvery = Math.ceil(run.days / TABLE_ROWS);
  return chart(
    "Added customer lifetime value",
    {
      data: { values },
      height: RACE_HEIGHT,
      encoding: { x: { ...DAY, scale: { domain: [1, run.days], nice: false } }, color: variantColour(names) },
      layer: [
        { mark: { type: "area", opacity: 0.14 }, encoding: { y: { field: "low", ...CLV }, y2: { field: "high" } } },
        { mark: { type: "line", strokeWidth: 2.5 }, encoding: { y: { field: "mean", ...CLV } } },
      ],
    },
    {
      summary: `${names.map((name, p) => `${name} ends at ${euro(run.policies[p].delta_clv.mean)}`).join(", ")}. Bands contain 95 % of single runs.`,
      signal,
      legend: legendOf(names),
      data: {
        columns: [{ title: "Day", of: (i) => i + 1 }, ...names.map((name, p) => ({ title: name, numeric: true, of: (i) => euro(run.policies[p].by_day.mean[i]) }))],
        rows: days.filter((i) => (last - i) % tableEvery === 0),
      },
    },
  );
}

/** The actions of a policy week by week: contacts by product, with the channels in full and lighter colour. */
export function actionsByWeek(run, name, result, signal) {
  const products = [...new Set(run.actions.map(({ product }) => product))];
  const channels = [...new Set(run.actions.map(({ channel }) => channel))];
  const offers = products.flatMap((product) => channels.map((channel) => ({ product, channel })));
  const contacts = result.actions_by_day.map((arms) =>
    offers.map((offer) => run.actions.reduce((sum, action, i) => (action.product === offer.product && action.channel === offer.channel ? sum + arms[i] : sum), 0)),
  );
  const values = contacts.flatMap((row, i) => row.map((number, o) => ({ day: i, variant: offers[o].product, ...offers[o], contacts: number })));
  const total = offers.map((_, o) => contacts.reduce((sum, row) => sum + row[o], 0));
  const [full, ...lighter] = channels;
  return chart(
    `Actions chosen by ${name}`,
    {
      data: { values },
      height: 340,
      transform: [
        { calculate: "floor(datum.day / 7) + 1", as: "week" },
        { aggregate: [{ op: "sum", field: "contacts", as: "contacts" }], groupby: ["week", "variant", "channel"] },
      ],
      mark: { type: "bar", width: { band: 1 } },
      encoding: {
        x: { field: "week", type: "ordinal", title: "week", axis: { labelAngle: 0, labelOverlap: true } },
        y: { field: "contacts", type: "quantitative", title: "contacts a week", stack: "zero" },
        color: variantColour(products),
        opacity: { condition: { test: `datum.channel !== ${JSON.stringify(full)}`, value: 0.5 }, value: 1 },
        order: { field: "variant" },
        tooltip: [{ field: "week" }, { field: "variant", title: "product" }, { field: "channel" }, { field: "contacts", format: ".0f" }],
      },
    },
    {
      summary: `Contacts a week by product; full colour is ${full}, the lighter one ${lighter.join(", ") || "nothing else"}. Most frequent: ${describe(offers[total.indexOf(Math.max(...total))])}.`,
      signal,
      legend: legendOf(products),
      data: {
        columns: [{ title: "Offer", of: ({ offer }) => describe(offer) }, { title: "Total contacts", numeric: true, of: ({ contacts: number }) => count(Math.round(number)) }],
        rows: offers.map((offer, o) => ({ offer, contacts: total[o] })),
      },
      note: `full colour: ${full}${lighter.length ? `, lighter: ${lighter.join(", ")}` : ""}`,
    },
  );
}

const describe = ({ product, channel }) => `${product}, ${channel}`;

/** One number of each policy as a bar with the interval of its mean. */
export function perPolicy(title, names, summaries, format, signal) {
  const values = summaries.map(({ mean, interval_95: interval }, p) => ({ variant: names[p], mean, low: interval?.[0] ?? mean, high: interval?.[1] ?? mean }));
  const y = { field: "variant", type: "nominal", sort: null, title: null, axis: { labelLimit: 170, domain: false, ticks: false } };
  return chart(
    title,
    {
      data: { values },
      height: Math.max(140, 36 * names.length) + 35,
      layer: [
        { mark: { type: "bar", cornerRadiusEnd: 3, height: { band: 0.65 } }, encoding: { y, x: { field: "mean", type: "quantitative", title: null, axis: { format: "~s", tickCount: 5 } }, color: variantColour(names) } },
        { mark: { type: "rule", strokeWidth: 2 }, encoding: { y, x: { field: "low", type: "quantitative" }, x2: { field: "high" } } },
      ],
    },
    {
      summary: values.map(({ variant, mean }) => `${variant} ${format(mean)}`).join(", "),
      signal,
      data: {
        columns: [
          { title: "Policy", of: ({ variant }) => variant },
          { title: "Mean", numeric: true, of: ({ mean }) => format(mean) },
          { title: "95 % interval", numeric: true, of: ({ low, high }) => (low === high ? "–" : `${format(low)} to ${format(high)}`) },
        ],
        rows: values,
      },
    },
  );
}
