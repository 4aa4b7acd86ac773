/**
 * What the time machine and the race share: a form with every parameter, a run that is followed, and its results.
 *
 * The state is in the address: the parameters that differ from the usual ones, and the run they led to. A link shows
 * that run; where it is gone, the same parameters make the same figures again.
 */

import { get } from "../../api.js";
import { form } from "../../components/form.js";
import { h } from "../../dom.js";
import { control, joined } from "./controls.js";
import { start } from "./follow.js";
import { outcomePanel } from "./outcome.js";
import { policiesControl } from "./policies.js";

let description = null;

/** What the service says of itself, read once. */
export const described = () => (description ??= get("/openapi.json").catch((error) => ((description = null), Promise.reject(error))));

/**
 * The page of a scenario.
 *
 * @param {object} place - see pages.js
 * @param {object} scenario
 * @param {string} scenario.name - as the API names it
 * @param {string} scenario.path - of the page
 * @param {string} scenario.request - the name of the request's schema
 * @param {string[]} scenario.first - the parameters that are not folded away
 * @param {boolean} scenario.live - whether to follow a run from its start
 * @param {Node} scenario.empty - what stands there before anything was played
 * @param {(run, signal) => Node[]} scenario.results - what is shown of a run that is done
 * @param {(run) => string} scenario.headline - the result in a sentence
 * @param {(run, signal) => Node} [scenario.waiting] - what is shown while it is played
 * @param {(standing) => void} [scenario.standing] - takes how it stands by then
 */
export async function simulatorPage({ query, signal, setQuery }, scenario, heading) {
  const [openapi, { items: kinds }] = await Promise.all([described(), get("/policies", { query: { scenario: scenario.name }, signal })]);
  const controls = requestControls(scenario.request, openapi.components.schemas, kinds);
  const all = joined(controls);
  const asked = () => all.value() ?? {};
  const outcome = outcomePanel(scenario, signal, () => filled.requestSubmit());
  const compare = () => outcome.compare(asked());

  const play = async () => {
    const body = asked();
    setQuery(written(body));
    const run = await outcome.begin(start(scenario.name, body, { live: scenario.live, signal }));
    outcome.element.scrollIntoView();
    await follow(run, body);
  };
  const follow = async (run, body) => {
    setQuery({ ...written(body), run: run.id });
    await outcome.follow(run, body);
    compare();
  };

  const preset = h("a", { href: `#/${scenario.path}`, class: "button", onclick: () => (all.set({}), compare()) }, "Back to the preset");
  const filled = form(folded(controls, scenario.first), all.fields, play, { button: "Play", more: [preset] });
  for (const happened of ["input", "change"]) filled.addEventListener(happened, compare);
  all.set(asQueried(query, controls));
  if (query.size) await again(query.get("run"));
  return [heading, h("div", { class: "stack" }, h("section", { class: "panel simulator", "aria-label": "Parameters" }, filled), outcome.element)];

  /** Show the run of a link, or play it again where it is gone. */
  async function again(id) {
    const run = id && (await get(`/simulations/${id}`, { signal }).catch(ifGone));
    if (!run || run.scenario !== scenario.name) return void setTimeout(() => filled.requestSubmit());
    if (query.size === 1) all.set(run.request); // a run that was not made here
    setTimeout(() => follow(run, asked()).catch(outcome.fail));
  }
}

function ifGone(error) {
  if (error.status === 404) return null;
  throw error;
}

function requestControls(request, schemas, kinds) {
  return Object.entries(schemas[request].properties).map(([name, one]) =>
    name === "policies" ? [name, policiesControl(kinds, one.default)] : [name, control(name, one, schemas)],
  );
}

/** Who plays, then the first parameters in their order, and the others behind a fold. */
function folded(controls, first) {
  const element = Object.fromEntries(controls.map(([name, one]) => [name, one.element]));
  const others = controls.filter(([name]) => !first.includes(name)).map(([name]) => element[name]);
  return [
    element.policies,
    h("div", { class: "fields" }, first.filter((name) => name !== "policies").map((name) => element[name])),
    h("details", { class: "more-settings" }, h("summary", {}, "Every other parameter"), h("div", { class: "fields" }, others)),
  ];
}

/** Parameters as an address says them. */
const written = (body) => Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]));

/** The parameters that an address says. */
function asQueried(query, controls) {
  const known = new Set(controls.map(([name]) => name));
  return Object.fromEntries([...query].filter(([name]) => known.has(name)).map(([name, text]) => [name, read(text)]));
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
