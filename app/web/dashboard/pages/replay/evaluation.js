/** The result of an off-policy evaluation: estimates with their intervals, and whether the log supports them. */

import { chart, legendOf, variantColour } from "../../components/charts/chart.js";
import { intervalText } from "../../components/charts/interval.js";
import { table } from "../../components/data/table.js";
import { tile, tiles } from "../../components/tiles.js";
import { h } from "../../dom.js";
import { count, decimal, NONE, percent, plural } from "../../format.js";
import { policyNames } from "../simulator/policy-names.js";

const ESTIMATORS = [
  ["ips", "IPS"],
  ["snips", "Self-normalised"],
  ["dr", "Doubly robust"],
];

/** Everything about a finished run. */
export function evaluation(run, signal) {
  const names = policyNames(run.policies.map(({ policy }) => policy));
  const policies = run.policies.map((one, i) => ({ ...one, name: one.policy.kind === "always" ? `Always ${run.log.arms[one.policy.arm]}` : names[i] }));
  const weighted = policies.filter(({ estimates }) => estimates);
  const replayed = policies.filter(({ rejection }) => rejection);
  return [
    facts(run),
    weighted.length > 0 && [support(weighted), estimatesPanel(run, weighted), intervals(run, weighted, signal)],
    replayed.length > 0 && rejectionPanel(run, replayed),
  ];
}

const facts = ({ log, request }) =>
  tiles(
    "The log",
    tile("Decisions", count(log.decisions), plural(log.arms.length, "arm")),
    tile(request.by_value ? "Mean value, as logged" : "Mean reward, as logged", decimal(request.by_value ? log.mean_value : log.mean_reward), "of the policy that made the log"),
    tile("Propensities", log.uniform ? "uniform" : "varying", log.uniform ? "so policies that learn can be replayed, too" : "so only policies that do not learn can be evaluated"),
  );

/** Whether the log supports the estimates, in words. */
function support(weighted) {
  const doubtful = weighted.filter(({ estimates: { warnings } }) => warnings.length);
  if (!doubtful.length) return h("p", { class: "notice good", role: "status" }, h("b", {}, "The log supports these estimates. "), "Every effective sample size is at least 10 % of the decisions, and no decision has more than 5 % of the weight.");
  return h(
    "section",
    { class: "notice warn", role: "alert", "aria-label": "Warnings" },
    h("p", {}, h("b", {}, "Do not rely on some of these estimates. "), "The log has too few decisions that these policies would have made as well; collect more, or evaluate policies that are more similar to the one that made the decisions."),
    h("ul", {}, doubtful.map(({ name, estimates: { warnings } }) => h("li", {}, h("b", {}, name), ": ", warnings.join("; "), "."))),
  );
}

function estimatesPanel(run, weighted) {
  const column = ([name, title]) => ({
    title, numeric: true,
    of: ({ estimates: { [name]: found } }) => [h("b", {}, decimal(found.mean)), h("span", { class: "hint" }, found.interval_95 ? intervalText(found.interval_95, decimal) : "no interval")],
  });
  return h(
    "section",
    { class: "panel", "aria-labelledby": "estimates" },
    h("h2", { id: "estimates" }, run.request.by_value ? "Value per decision" : "Reward per decision"),
    table(
      "Estimates of every policy, with 95 % intervals",
      [
        { title: "Policy", of: ({ name, estimates: { warnings } }) => [name, warnings.length > 0 && h("span", { class: "badge warning" }, "doubtful")] },
        ...ESTIMATORS.map(column),
        { title: "Effective sample size", numeric: true, of: ({ estimates: { ess, n } }) => [count(ess), h("span", { class: "hint" }, `${percent(ess / n, 1)} of ${count(n)}`)] },
        { title: "Largest weight", numeric: true, of: ({ estimates: { largest_weight: weight } }) => percent(weight) },
      ],
      weighted,
    ),
    h("p", { class: "hint" }, "Each with its 95 % interval. Where the three estimators differ much, the log says little about the policy."),
  );
}

function intervals(run, weighted, signal) {
  const titles = ESTIMATORS.map(([, title]) => title);
  const values = weighted.flatMap(({ name, estimates: found }) =>
    ESTIMATORS.filter(([one]) => found[one].mean !== null).map(([one, title]) => ({ policy: name, variant: title, mean: found[one].mean, low: found[one].interval_95?.[0] ?? found[one].mean, high: found[one].interval_95?.[1] ?? found[one].mean })),
  );
  const shared = { y: { field: "policy", type: "nominal", sort: null, title: null, axis: { labelLimit: 180, domain: false, ticks: false } }, yOffset: { field: "variant", sort: titles }, color: variantColour(titles) };
  const logged = run.request.by_value ? run.log.mean_value : run.log.mean_reward;
  return chart(
    "Estimates and the logged mean",
    {
      data: { values },
      height: Math.max(160, 52 * weighted.length) + 55,
      layer: [
        { mark: { type: "rule", strokeWidth: 2, opacity: 0.7 }, encoding: { ...shared, x: { field: "low", type: "quantitative", title: "per decision", scale: { zero: false } }, x2: { field: "high" } } },
        { mark: { type: "point", filled: true, size: 70 }, encoding: { ...shared, x: { field: "mean", type: "quantitative" } } },
        { data: { values: [{ logged }] }, mark: { type: "rule", strokeDash: [5, 4] }, encoding: { x: { field: "logged", type: "quantitative" } } },
      ],
    },
    {
      summary: `The dashed line is the logged mean, ${decimal(logged)}.`,
      signal,
      legend: legendOf(titles),
      data: {
        columns: [{ title: "Policy", of: ({ policy }) => policy }, { title: "Estimator", of: ({ variant }) => variant }, { title: "Estimate", numeric: true, of: ({ mean }) => decimal(mean) }, { title: "95 % interval", numeric: true, of: ({ low, high }) => intervalText([low, high], decimal) }],
        rows: values,
      },
    },
  );
}

const rejectionPanel = (run, replayed) =>
  h(
    "section",
    { class: "panel", "aria-labelledby": "rejection" },
    h("h2", { id: "rejection" }, "Policies that learn, replayed by rejection"),
    table(
      "Policies that learn, replayed by rejection",
      [
        { title: "Policy", of: ({ name }) => name },
        { title: "Per decision", numeric: true, of: ({ rejection: found }) => h("b", {}, decimal(found.mean)) },
        { title: "95 % interval", numeric: true, of: ({ rejection: found }) => (found.interval_95 ? intervalText(found.interval_95, decimal) : NONE) },
        { title: "Accepted decisions", numeric: true, of: ({ rejection: { kept } }) => count(kept.mean) },
        ...run.log.arms.slice(0, 6).map((arm, i) => ({ title: `To ${arm}`, numeric: true, of: ({ rejection: { shares } }) => percent(shares[i], 1) })),
      ],
      replayed,
    ),
    h("p", { class: "hint" }, "Only the decisions count on which the policy agrees with the log, and it learns only from these: on a uniform log that is unbiased."),
  );
