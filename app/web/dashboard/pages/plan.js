/** The planning calculator: how many days until the best variant is known, for supposed rates and traffic. */

import { chart } from "../charts.js";
import { form, formField } from "../components/form.js";
import { get, post } from "../api.js";
import { announce, h, replace } from "../dom.js";
import { intervalText } from "../components/interval.js";
import { count, percent, plural } from "../format.js";

const USUAL = { rates: "10, 12", traffic: 1000, policy: "thompson", minimum_days: 14, days: 90, min_share: 0 };

export async function show({ query, signal, setQuery }) {
  const { items } = await get("/policies", { signal });
  const given = Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, query.get(name) ?? usual]));
  const policies = items.filter(({ kind, objective }) => objective !== "value" && kind !== "fixed");
  const fields = [
    { name: "rates", label: "Supposed rates, percent", hint: "One for each variant: 10, 12 means 10 % and 12 %.", read: asFractions },
    { name: "traffic", label: "Impressions a day", kind: "integer", min: 1, hint: "Over all variants." },
    { name: "policy", label: "Policy", kind: "select", choices: policies.map(({ kind }) => [kind, kind.replaceAll("_", " ")]), read: (input) => ({ kind: input.value }) },
    { name: "minimum_days", label: "Not before, days", kind: "integer", min: 1, hint: "Two weeks see every weekday twice." },
    { name: "days", label: "Longest, days", kind: "integer", min: 1 },
    { name: "min_share", label: "Floor, percent", kind: "number", min: 0, max: 50 },
  ].map((field) => formField({ ...field, value: given[field.name] }));
  const outcome = h("div", { class: "stack", "aria-live": "polite" });
  const play = async () => {
    setQuery(Object.fromEntries(fields.map(({ name, input }) => [name, input.value])));
    replace(outcome, h("p", { class: "empty", role: "status" }, "The experiment is being played, 200 times over…"));
    try {
      const asked = Object.fromEntries(fields.map(({ name, value }) => [name, value()]).filter(([, value]) => value !== null));
      const plan = await post("/plans", asked, { signal });
      replace(outcome, result(plan, asked, signal));
      announce(headline(plan, asked));
    } catch (error) {
      replace(outcome);
      throw error;
    }
  };
  const filled = form(h("div", { class: "fields" }, fields.map(({ element }) => element)), () => fields, play, { button: "Play it" });
  if (query.has("rates")) setTimeout(() => filled.requestSubmit());
  return [
    h("h1", {}, "Plan"),
    h("p", { class: "lead" }, "How long will an experiment take? It is played many times by the service's own decision, with the rates you suppose, until a variant is the best one with 95 % probability."),
    h("div", { class: "stack" }, h("section", { class: "panel", "aria-label": "What is supposed" }, filled), outcome),
  ];
}

/** "10, 12.5" in percent as fractions; what is no number goes to the service as it is, which says so. */
const asFractions = (input) =>
  input.value.split(/[,;\s]+/).filter(Boolean).map((text) => (Number.isFinite(Number(text)) ? Number((Number(text) / 100).toPrecision(12)) : text));

function headline(plan, asked) {
  if (!plan.days) return `Not decided within ${plural(asked.days, "day")}: the rates are too close for this traffic.`;
  return `About ${plural(Math.round(plan.days.mean), "day")} to a decision.`;
}

function result(plan, asked, signal) {
  return [
    h("p", { class: `notice headline ${plan.days ? "good" : "warn"}` }, h("b", {}, headline(plan, asked)), explained(plan, asked)),
    h(
      "dl",
      { class: "tiles" },
      tile("Expected days", plan.days ? count(plan.days.mean) : "–", plan.days?.interval_95 ? `95 %: ${intervalText(plan.days.interval_95, count)}; single runs ${intervalText(plan.days.range_95, count)}` : ""),
      tile("Decided in time", percent(plan.decided, 1), `within ${plural(asked.days, "day")}, of ${plural(plan.replications, "run")}`),
      tile("Rightly", percent(plan.right, 1), "of the decisions were for the best variant"),
      tile("Classical test", plan.classical_days === null ? "–" : plural(plan.classical_days, "day"), plan.classical_days === null ? "equal rates cannot be told apart" : "even split, level 5 %, power 80 %"),
    ),
    decidedByDay(plan, signal),
  ];
}

const explained = (plan, asked) =>
  plan.decided < 1 && plan.days ? ` In ${percent(1 - plan.decided, 1)} of the runs ${plural(asked.days, "day")} were not enough; the mean is of the others.` : "";

const tile = (word, figure, note) => h("div", { class: "tile" }, h("dt", {}, word), h("dd", {}, h("b", {}, figure), h("span", { class: "hint" }, note)));

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
      figures: { columns: [{ title: "Day", of: ({ day }) => day }, { title: "Decided", figure: true, of: ({ part }) => percent(part, 1) }], rows },
    },
  );
}
