/** Replay of a log: what other policies would have earned with the decisions that somebody really made. */

import { get, postText } from "../api.js";
import { chart, variantColour } from "../charts.js";
import { form } from "../components/form.js";
import { intervalText } from "../components/interval.js";
import { empty, sentence } from "../components/states.js";
import { table } from "../components/table.js";
import { announce, h, replace } from "../dom.js";
import { count, figure, percent, plural } from "../format.js";
import { control, joined } from "./simulator/controls.js";
import { cancel, followed } from "./simulator/follow.js";
import { decisions } from "./simulator/decisions.js";
import { policyNames } from "./simulator/names.js";
import { described } from "./simulator/page.js";
import { policiesControl } from "./simulator/policies.js";
import { progressPanel } from "./simulator/progress.js";

export async function show({ query, signal, setQuery }) {
  const [openapi, { items: kinds }, { items: experiments }] = await Promise.all([
    described(),
    get("/policies", { query: { scenario: "replay" }, signal }),
    get("/experiments", { query: { limit: 200 }, signal }),
  ]);
  const parameters = openapi.paths["/simulations/replay"].post.parameters.filter((one) => one.in === "query" && one.name !== "policy");
  const judgedOn = decisions(experiments, query);
  const policies = policiesControl(kinds, [], { least: 0 });
  const others = parameters.map(({ name, schema, description }) => [name, control(name, { ...schema, description }, openapi.components.schemas)]);
  const outcome = h("div", { class: "stack outcome" }, empty("Nothing was judged yet. Paste a log with the columns arm, propensity and reward, drop a file, or name a tracked experiment; then press Judge."));

  const follow = async (run) => {
    setQuery({ ...judgedOn.named(), run: run.id });
    const panel = progressPanel(run, () => cancel(run.id));
    if (run.state !== "done") replace(outcome, panel.element);
    const ended = await followed(run, panel.show, signal);
    if (ended.state !== "done") return replace(outcome, h("p", { class: "notice bad", role: "alert" }, ended.fault ? `It failed: ${ended.fault}.` : "It was cancelled."));
    replace(outcome, judged(ended, signal));
    announce(`${plural(ended.log.decisions, "decision")} judged.`);
  };
  const send = async () => {
    const [content, type] = await judgedOn.sent();
    await follow(await postText(`/simulations/replay?${asQuery(policies.value(), joined(others).value())}`, content, type, { signal }).catch(told));
  };
  const every = () => [...judgedOn.fields(), ...policies.fields(), ...joined(others).fields()];
  const rest = h("details", { class: "more-settings" }, h("summary", {}, "Every other parameter"), h("div", { class: "fields" }, others.map(([, one]) => one.element)));
  const nobody = h("p", { class: "hint" }, "Without any, the even split and each arm alone are judged.");
  const filled = form([judgedOn.element, policies.element, nobody, rest], every, send, { button: "Judge" });
  if (query.has("run")) setTimeout(() => again(query.get("run")));
  return [
    h("h1", {}, "Replay"),
    h("p", { class: "lead" }, "Real decisions tell what other policies would have earned: each reward is weighed by how likely the decision was. They may be a log, which is not kept, or the units of a tracked experiment."),
    h("div", { class: "stack" }, h("section", { class: "panel simulator", "aria-label": "What is judged" }, filled), outcome),
  ];

  async function again(id) {
    try {
      await follow(await get(`/simulations/${id}`, { signal }));
    } catch (error) {
      if (error.name !== "AbortError") replace(outcome, h("p", { class: "notice bad", role: "alert" }, sentence(error)));
    }
  }
}

/** The parameters in the address of the request: policies as JSON, lists as repetitions. */
function asQuery(policies = [], others = {}) {
  const pairs = Object.entries(others).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  return new URLSearchParams([...policies.map((policy) => ["policy", JSON.stringify(policy)]), ...pairs]);
}

/** A refusal with the lines at fault in its words, and the fields named as on this page. */
function told(error) {
  error.fields = (error.fields ?? []).map(({ field, message, line }) => ({ field: field.replace(/^(query|body)\./, ""), message: line ? `Line ${line}: ${message}.` : message }));
  throw error;
}

function judged(run, signal) {
  const names = policyNames(run.policies.map(({ policy }) => policy));
  const named = run.policies.map((one, i) => ({ ...one, name: one.policy.kind === "always" ? `Always ${run.log.arms[one.policy.arm]}` : names[i] }));
  const weighed = named.filter(({ estimates }) => estimates);
  const replayed = named.filter(({ rejection: found }) => found);
  return [
    facts(run),
    weighed.length > 0 && trust(weighed),
    weighed.length > 0 && estimates(run, weighed),
    weighed.length > 0 && intervals(run, weighed, signal),
    replayed.length > 0 && rejection(run, replayed),
  ];
}

function facts({ log, request }) {
  const tile = (word, text, note) => h("div", { class: "tile" }, h("dt", {}, word), h("dd", {}, h("b", {}, text), h("span", { class: "hint" }, note)));
  return h(
    "dl",
    { class: "tiles" },
    tile("Decisions", count(log.decisions), plural(log.arms.length, "arm")),
    tile(request.by_value ? "Mean value, as logged" : "Mean reward, as logged", figure(request.by_value ? log.mean_value : log.mean_reward), "of the policy that made the log"),
    tile("Propensities", log.uniform ? "uniform" : "vary", log.uniform ? "so policies that learn can be replayed, too" : "so only policies that never learn can be judged"),
  );
}

/** How far to trust the estimates, in words. */
function trust(weighed) {
  const doubtful = weighed.filter(({ estimates: { warnings } }) => warnings.length);
  if (!doubtful.length) return h("p", { class: "notice good", role: "status" }, h("b", {}, "The log supports these estimates. "), "Every effective sample size is at least 10 % of the decisions, and no decision carries more than 5 % of the weight.");
  return h(
    "section",
    { class: "notice warn", role: "alert", "aria-label": "Warnings" },
    h("p", {}, h("b", {}, "Do not rely on some of these estimates. "), "The log holds too few decisions that these policies would have made as well; collect more, or judge policies that are more like the one that made the log."),
    h("ul", {}, doubtful.map(({ name, estimates: { warnings } }) => h("li", {}, h("b", {}, name), ": ", warnings.join("; "), "."))),
  );
}

const WAYS = [
  ["ips", "IPS", "inverse propensity scoring"],
  ["snips", "Self-normalised", "the same, self-normalised"],
  ["dr", "Doubly robust", "doubly robust, cross-fitted"],
];

function estimates(run, weighed) {
  const way = ([name, word]) => ({
    title: word, figure: true,
    of: ({ estimates: { [name]: found } }) => [h("b", {}, figure(found.mean)), h("span", { class: "hint" }, found.interval_95 ? intervalText(found.interval_95, figure) : "no interval")],
  });
  return h(
    "section",
    { class: "panel", "aria-labelledby": "estimates" },
    h("h2", { id: "estimates" }, run.request.by_value ? "Value per decision" : "Reward per decision"),
    table(
      "Estimates of every policy, with 95 % intervals",
      [
        { title: "Policy", of: ({ name, estimates: { warnings } }) => [name, warnings.length > 0 && h("span", { class: "badge warning" }, "doubtful")] },
        ...WAYS.map(way),
        { title: "Effective sample size", figure: true, of: ({ estimates: { ess, n } }) => [count(ess), h("span", { class: "hint" }, `${percent(ess / n, 1)} of ${count(n)}`)] },
        { title: "Largest weight", figure: true, of: ({ estimates: { largest_weight: weight } }) => percent(weight) },
      ],
      weighed,
    ),
    h("p", { class: "hint" }, "Each with its 95 % interval. Where the three ways differ much, the log says little about the policy."),
  );
}

function intervals(run, weighed, signal) {
  const values = weighed.flatMap(({ name, estimates: found }) =>
    WAYS.filter(([way]) => found[way].mean !== null).map(([way, word]) => ({ policy: name, variant: word, mean: found[way].mean, low: found[way].interval_95?.[0] ?? found[way].mean, high: found[way].interval_95?.[1] ?? found[way].mean })),
  );
  const words = WAYS.map(([, word]) => word);
  const shared = { y: { field: "policy", type: "nominal", sort: null, title: null, axis: { labelLimit: 180, domain: false, ticks: false } }, yOffset: { field: "variant", sort: words }, color: variantColour(words) };
  const logged = run.request.by_value ? run.log.mean_value : run.log.mean_reward;
  return chart(
    "Estimates beside what was logged",
    {
      data: { values },
      height: Math.max(160, 52 * weighed.length),
      layer: [
        { mark: { type: "rule", strokeWidth: 2, opacity: 0.7 }, encoding: { ...shared, x: { field: "low", type: "quantitative", title: "per decision", scale: { zero: false } }, x2: { field: "high" } } },
        { mark: { type: "point", filled: true, size: 70 }, encoding: { ...shared, x: { field: "mean", type: "quantitative" } } },
        { data: { values: [{ logged }] }, mark: { type: "rule", strokeDash: [5, 4] }, encoding: { x: { field: "logged", type: "quantitative" } } },
      ],
    },
    {
      summary: `The dashed line is what was logged, ${figure(logged)}.`,
      signal,
      figures: {
        columns: [{ title: "Policy", of: ({ policy }) => policy }, { title: "Way", of: ({ variant }) => variant }, { title: "Estimate", figure: true, of: ({ mean }) => figure(mean) }, { title: "95 % interval", figure: true, of: ({ low, high }) => intervalText([low, high], figure) }],
        rows: values,
      },
    },
  );
}

const rejection = (run, replayed) =>
  h(
    "section",
    { class: "panel", "aria-labelledby": "rejection" },
    h("h2", { id: "rejection" }, "Policies that learn, replayed by rejection"),
    table(
      "Policies that learn, replayed by rejection",
      [
        { title: "Policy", of: ({ name }) => name },
        { title: "Per decision", figure: true, of: ({ rejection: found }) => h("b", {}, figure(found.mean)) },
        { title: "95 % interval", figure: true, of: ({ rejection: found }) => (found.interval_95 ? intervalText(found.interval_95, figure) : "–") },
        { title: "Kept decisions", figure: true, of: ({ rejection: { kept } }) => count(kept.mean) },
        ...run.log.arms.slice(0, 6).map((arm, i) => ({ title: `To ${arm}`, figure: true, of: ({ rejection: { shares } }) => percent(shares[i], 1) })),
      ],
      replayed,
    ),
    h("p", { class: "hint" }, "Only decisions in which the policy agrees with the log count, and only those it is shown: on a uniform log that is unbiased."),
  );
