/** The telco's customers and catalogue. */

import { chart, variantColour } from "../../charts.js";
import { count, money } from "../../format.js";

const euro = (amount) => money(amount, "EUR");

/** Customers by product. */
export function baseByProduct(run, signal) {
  const values = run.products.map(({ name, customers, sold_until: until }) => ({ product: name, customers, variant: stateOf(until) }));
  return chart(
    "Customers by product",
    {
      data: { values },
      height: 26 * values.length,
      mark: { type: "bar", cornerRadiusEnd: 3 },
      encoding: {
        y: { field: "product", type: "nominal", sort: "-x", title: null, axis: { labelLimit: 190, domain: false, ticks: false } },
        x: { field: "customers", type: "quantitative", title: "customers", axis: { tickCount: 4 } },
        color: variantColour(STATES),
      },
    },
    {
      summary: `${count(values.reduce((sum, { customers }) => sum + customers, 0))} customers; most have ${largest(values).product}.`,
      signal,
      figures: { columns: [{ title: "Product", of: ({ product }) => product }, { title: "Customers", figure: true, of: ({ customers }) => count(customers) }], rows: values },
    },
  );
}

const STATES = ["on sale", "no longer sold"];
const stateOf = (until) => STATES[until ? 1 : 0];
const largest = (values) => values.reduce((a, b) => (b.customers > a.customers ? b : a));

/** The catalogue: what a year costs against how fast it is. */
export function priceAgainstSpeed(run, signal) {
  const values = run.products.map(({ name, price, download, customers, sold_until: until }) => ({ product: name, price, download, customers, variant: stateOf(until) }));
  const position = {
    x: { field: "download", type: "quantitative", title: "Mbit/s", scale: { nice: true, padding: 12 } },
    y: { field: "price", type: "quantitative", title: "EUR a year", scale: { zero: false, padding: 12 } },
  };
  return chart(
    "Price against speed",
    {
      data: { values },
      height: 286,
      mark: { type: "point", filled: true, opacity: 0.75 },
      encoding: {
        ...position,
        size: { field: "customers", type: "quantitative", legend: null, scale: { range: [60, 900] } },
        color: variantColour(STATES),
        tooltip: [{ field: "product" }, { field: "price", title: "EUR a year" }, { field: "download", title: "Mbit/s" }, { field: "customers", format: "," }],
      },
    },
    {
      summary: `${values.length} products; larger points have more customers.`,
      signal,
      figures: {
        columns: [{ title: "Product", of: ({ product }) => product }, { title: "Price a year", figure: true, of: ({ price }) => euro(price) }, { title: "Mbit/s", figure: true, of: ({ download }) => count(download) }],
        rows: values,
      },
    },
  );
}

/** How much customers are worth on the first day, with the segments of the marketing department. */
export function lifetimeValues(run, signal) {
  const { edges, customers, bronze_below: bronze, gold_above: gold } = run.lifetime_value;
  const segments = ["bronze", "silver", "gold"];
  const values = customers.map((number, i) => {
    const middle = (edges[i] + edges[i + 1]) / 2;
    return { from: edges[i], to: edges[i + 1], customers: number, variant: segments[middle < bronze ? 0 : middle > gold ? 2 : 1] };
  });
  const figure = chart(
    "Customer lifetime value on the first day",
    {
      data: { values },
      height: 260,
      layer: [
        {
          mark: { type: "bar", binSpacing: 1 },
          encoding: {
            x: { field: "from", type: "quantitative", bin: { binned: true }, title: "EUR", axis: { format: "~s" } },
            x2: { field: "to" },
            y: { field: "customers", type: "quantitative", title: "customers, logarithmic", scale: { type: "symlog", constant: 1 }, axis: { values: [0, 10, 100, 1000, 10_000, 100_000], format: "," } },
            color: { ...variantColour(segments), scale: { domain: segments, range: ["#b07a4a", "#8d97a3", "#d3a625"] } },
          },
        },
        { data: { values: [{ at: bronze }, { at: gold }] }, mark: { type: "rule", strokeDash: [5, 4], strokeWidth: 1.5 }, encoding: { x: { field: "at", type: "quantitative" } } },
      ],
    },
    {
      summary: `Bronze customers are worth less than ${euro(bronze)}, gold ones more than ${euro(gold)}.`,
      signal,
      figures: {
        columns: [{ title: "Worth", of: ({ from, to }) => `${euro(from)} to ${euro(to)}` }, { title: "Customers", figure: true, of: ({ customers: number }) => count(number) }, { title: "Segment", of: ({ variant }) => variant }],
        rows: values,
      },
    },
  );
  figure.classList.add("wide");
  return figure;
}
