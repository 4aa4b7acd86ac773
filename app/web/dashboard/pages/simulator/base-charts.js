/** Charts of the telco's customers and products. */

import { chart, legendOf, variantColour } from "../../components/charts/chart.js";
import { h } from "../../dom.js";
import { count, money } from "../../format.js";

const euro = (amount) => money(amount, "EUR");
const STATES = ["on sale", "no longer sold"];
const stateOf = (until) => STATES[until ? 1 : 0];

/** Customers by product. */
export function customersByProduct(run, signal) {
  const values = run.products.map(({ name, customers, sold_until: until }) => ({ product: name, customers, variant: stateOf(until) }));
  const largest = values.reduce((a, b) => (b.customers > a.customers ? b : a));
  return chart(
    "Customers by product",
    {
      data: { values },
      height: 26 * values.length + 55,
      mark: { type: "bar", cornerRadiusEnd: 3 },
      encoding: {
        y: { field: "product", type: "nominal", sort: "-x", title: null, axis: { labelLimit: 190, domain: false, ticks: false } },
        x: { field: "customers", type: "quantitative", title: "customers", axis: { tickCount: 4 } },
        color: variantColour(STATES),
      },
    },
    {
      summary: `${count(values.reduce((sum, { customers }) => sum + customers, 0))} customers; most have ${largest.product}.`,
      signal,
      legend: legendOf(STATES),
      data: { columns: [{ title: "Product", of: ({ product }) => product }, { title: "Customers", numeric: true, of: ({ customers }) => count(customers) }], rows: values },
    },
  );
}

/** Price by download speed. */
export function priceBySpeed(run, signal) {
  const values = run.products.map(({ name, price, download, customers, sold_until: until }) => ({ product: name, price, download, customers, variant: stateOf(until) }));
  return chart(
    "Price by speed",
    {
      data: { values },
      height: 26 * values.length + 55,
      mark: { type: "point", filled: true, opacity: 0.75 },
      encoding: {
        x: { field: "download", type: "quantitative", title: "Mbit/s", scale: { nice: true, padding: 12 } },
        y: { field: "price", type: "quantitative", title: "EUR a year", scale: { zero: false, padding: 12 } },
        size: { field: "customers", type: "quantitative", scale: { range: [60, 900] } },
        color: variantColour(STATES),
        tooltip: [{ field: "product" }, { field: "price", title: "EUR a year" }, { field: "download", title: "Mbit/s" }, { field: "customers", format: "," }],
      },
    },
    {
      summary: `${values.length} products; larger points have more customers.`,
      signal,
      legend: legendOf(STATES),
      data: {
        columns: [{ title: "Product", of: ({ product }) => product }, { title: "Price a year", numeric: true, of: ({ price }) => euro(price) }, { title: "Mbit/s", numeric: true, of: ({ download }) => count(download) }],
        rows: values,
      },
    },
  );
}

const SEGMENTS = ["bronze", "silver", "gold"];
const SEGMENT_COLOURS = ["#b07a4a", "#8d97a3", "#d3a625"];

/** The distribution of customer lifetime value on the first day, with the marketing segments. */
export function lifetimeValues(run, signal) {
  const { edges, customers, bronze_below: bronze, gold_above: gold } = run.lifetime_value;
  const values = customers.map((number, i) => {
    const middle = (edges[i] + edges[i + 1]) / 2;
    return { from: edges[i], to: edges[i + 1], customers: number, variant: SEGMENTS[middle < bronze ? 0 : middle > gold ? 2 : 1] };
  });
  return h("div", { class: "wide" }, chart(
    "Customer lifetime value on the first day",
    {
      data: { values },
      layer: [
        {
          mark: { type: "bar", binSpacing: 1 },
          encoding: {
            x: { field: "from", type: "quantitative", bin: { binned: true }, title: "EUR", axis: { format: "~s" } },
            x2: { field: "to" },
            y: { field: "customers", type: "quantitative", title: "customers, logarithmic", scale: { type: "symlog", constant: 1 }, axis: { values: [0, 10, 100, 1000, 10_000, 100_000], format: "," } },
            color: { field: "variant", type: "nominal", scale: { domain: SEGMENTS, range: SEGMENT_COLOURS } },
          },
        },
        { data: { values: [{ at: bronze }, { at: gold }] }, mark: { type: "rule", strokeDash: [5, 4], strokeWidth: 1.5 }, encoding: { x: { field: "at", type: "quantitative" } } },
      ],
    },
    {
      summary: `Bronze customers have a value below ${euro(bronze)}, gold ones above ${euro(gold)}.`,
      signal,
      legend: SEGMENTS.map((label, i) => ({ label, colour: SEGMENT_COLOURS[i] })),
      data: {
        columns: [{ title: "Value", of: ({ from, to }) => `${euro(from)} to ${euro(to)}` }, { title: "Customers", numeric: true, of: ({ customers: number }) => count(number) }, { title: "Segment", of: ({ variant }) => variant }],
        rows: values,
      },
    },
  ));
}
