/** The planning calculator: how many days until the best variant is known, for assumed rates and traffic. */

import { get, post } from "../api.js";
import { chart } from "../components/charts/chart.js";
import { intervalText } from "../components/charts/interval.js";
import { form, formField } from "../components/forms/form.js";
import { tile, tiles } from "../components/tiles.js";
import { announce, h, replace } from "../dom.js";
import { count, NONE, percent, plural } from "../format.js";

const DEFAULTS = { rates: "10, 12", traffic: 1000, policy: "thompson", minimum_days: 14, days: 90, min_share: 0, "delay.kind": "none", "delay.days": 3, "delay.mean": 3, delay_correction: "auto" };
const DELAYS = [["none", "at once"], ["fixed", "exactly so many days later"], ["geometric", "spread, on average so many days later"]];
const CORRECTIONS = [["auto", "learn the delay from the data"], ["none", "count what has come"]];

export async function show({ query, signal, setQuery }) {
  const { items } = await get("/policies", { signal });
  const initial = Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, query.get(name) ?? value]));
  const policies = items.filter(({ kind, objective }) => objective !== "value" && kind !== "fixed");
  const fields = [
    { name: "rates", label: "Assumed rates, percent", hint: "One per variant: 10, 12 means 10 % and 12 %.", read: asFractions },
    { name: "traffic", label: "Impressions a day", kind: "integer", min: 1, hint: "Of all variants together." },
    { name: "policy", label: "Policy", kind: "select", choices: policies.map(({ kind }) => [kind, kind.replaceAll("_", " ")]), read: (input) => ({ kind: input.value }) },
    { name: "minimum_days", label: "Minimum, days", kind: "integer", min: 1, hint: "Two weeks include every weekday twice." },
    { name: "days", label: "Maximum, days", kind: "integer", min: 1 },
    { name: "min_share", label: "Floor, percent", kind: "number", min: 0, max: 50 },
    { name: "delay.kind", label: "Conversions come", kind: "select", choices: DELAYS },
    { name: "delay.days", label: "Delay, days", kind: "integer", min: 0, max: 365 },
    { name: "delay.mean", label: "Mean delay, days", kind: "number", min: 0, max: 365 },
    { name: "delay_correction", label: "Outstanding conversions", kind: "select", choices: CORRECTIONS, hint: "As the setting of an experiment." },
  ].map((field) => formField({ ...field, value: initial[field.name] }));
  showByDelay(fields);
  const result = h("div", { class: "stack", "aria-live": "polite" });
  const calculate = async () => {
    setQuery(Object.fromEntries(fields.map(({ name, input }) => [name, input.value])));
    replace(result, h("p", { class: "empty", role: "status" }, "The experiment is being simulated 200 times…"));
    try {
      const request = withDelay(Object.fromEntries(fields.map(({ name, value }) => [name, value()]).filter(([, value]) => value !== null)));
      const plan = await post("/plans", request, { signal });
      replace(result, planResult(plan, request, signal));
      announce(headline(plan, request));
    } catch (error) {
      replace(result);
      throw error;
    }
  };
  const parameters = form(h("div", { class: "fields" }, fields.map(({ element }) => element)), () => fields, calculate, { button: "Calculate" });
  if (query.has("rates")) setTimeout(() => parameters.requestSubmit());
  return [
    h("h1", {}, "Plan"),
    h("p", { class: "lead" }, "How long will an experiment take? It is simulated many times with the rates you assume, and with the service's own decisions, until a variant is the best one with 95 % probability."),
    h("div", { class: "stack" }, h("section", { class: "panel", "aria-label": "Assumptions" }, parameters), result),
  ];
}

/** "10, 12.5" in percent as fractions; text that is not a number is sent as it is, for the service to reject. */
const asFractions = (input) =>
  input.value.split(/[,;\s]+/).filter(Boolean).map((text) => (Number.isFinite(Number(text)) ? Number((Number(text) / 100).toPrecision(12)) : text));

/** Show of the fields of a delay those of the kind that is chosen. */
function showByDelay(fields) {
  const named = Object.fromEntries(fields.map((field) => [field.name, field]));
  const kind = named["delay.kind"].input;
  const show = () => {
    named["delay.days"].element.hidden = kind.value !== "fixed";
    named["delay.mean"].element.hidden = kind.value !== "geometric";
    named.delay_correction.element.hidden = kind.value === "none";
  };
  kind.addEventListener("change", show);
  show();
}

/** The request with its delay as the API has it. */
const withDelay = ({ "delay.kind": kind, "delay.days": days, "delay.mean": mean, delay_correction, ...request }) =>
  kind === "none" ? request : { ...request, delay: kind === "fixed" ? { kind, days } : { kind, mean }, delay_correction };

function headline(plan, request) {
  if (!plan.days) return `No decision within ${plural(request.days, "day")}: the rates are too close for this traffic.`;
  return `About ${plural(Math.round(plan.days.mean), "day")} to a decision.`;
}

function planResult(plan, request, signal) {
  return [
    h("p", { class: `notice headline ${plan.days ? "good" : "warn"}` }, h("b", {}, headline(plan, request)), undecidedNote(plan, request)),
    tiles(
      "Result of the plan",
      tile("Expected days", plan.days ? count(plan.days.mean) : NONE, plan.days?.interval_95 ? `95 %: ${intervalText(plan.days.interval_95, count)}; single runs ${intervalText(plan.days.range_95, count)}` : ""),
      tile("Decided in time", percent(plan.decided, 1), `within ${plural(request.days, "day")}, of ${plural(plan.replications, "run")}`),
      tile("Correct decisions", percent(plan.right, 1), "of the decisions were for the best variant"),
      tile("Classical test", plan.classical_days === null ? NONE : plural(plan.classical_days, "day"), plan.classical_days === null ? "equal rates cannot be distinguished" : "even split, level 5 %, power 80 %"),
    ),
    decidedByDay(plan, signal),
  ];
}

const undecidedNote = (plan, request) =>
  plan.decided < 1 && plan.days ? ` In ${percent(1 - plan.decided, 1)} of the runs ${plural(request.days, "day")} were not enough; the mean is that of the others.` : "";

function decidedByDay(plan, signal) {
  const rows = plan.decided_by_day.map((part, i) => ({ day: i + 1, part }));
  return chart(
    "Decided by day",
    {
      data: { values: rows },
      mark: { type: "area", interpolate: "step-after", opacity: 0.35, line: { strokeWidth: 2 } },
      encoding: {
        x: { field: "day", type: "quantitative", title: "day", scale: { nice: false } },
        y: { field: "part", type: "quantitative", title: "of the runs", axis: { format: ".0%" }, scale: { domain: [0, 1] } },
      },
    },
    {
      summary: plan.median_day ? `Half of the runs have decided by day ${plan.median_day}.` : "Fewer than half of the runs decided.",
      signal,
      data: { columns: [{ title: "Day", of: ({ day }) => day }, { title: "Decided", numeric: true, of: ({ part }) => percent(part, 1) }], rows },
    },
  );
}
