/**
 * What the time machine and the drag race share: a form with every parameter, a run that is followed, and its results.
 *
 * The state is in the address: the parameters that differ from the defaults, and the id of their run. A link shows
 * that run; if it no longer exists, the same parameters give the same numbers again.
 */

import { get } from "../../api.js";
import { form } from "../../components/forms/form.js";
import { h } from "../../dom.js";
import { policiesControl } from "./policy-rows.js";
import { runPanel } from "./run-panel.js";
import { start } from "./run-stream.js";
import { control, joined } from "./schema-controls.js";

let description = null;

/** The service's OpenAPI description, read once. */
export const readOpenapi = () => (description ??= get("/openapi.json").catch((error) => ((description = null), Promise.reject(error))));

/**
 * The page of a scenario.
 *
 * @param {object} context - see routes.js
 * @param {object} scenario
 * @param {string} scenario.name - as in the API
 * @param {string} scenario.path - of the page
 * @param {string} scenario.request - the name of the request's schema
 * @param {string[]} scenario.first - the parameters that are not folded away
 * @param {Node} scenario.empty - what is shown before the first run
 * @param {(run, signal) => Node[]} scenario.results - what is shown of a finished run
 * @param {(run) => string} scenario.headline - the result in a sentence
 * @param {{show: (run, signal) => Node, update: (interimResult) => void}} [scenario.live] - what is shown during the run, and
 *   updates it with interim results
 */
export async function simulatorPage({ query, signal, setQuery }, scenario, heading) {
  const [openapi, { items: kinds }] = await Promise.all([readOpenapi(), get("/policies", { query: { scenario: scenario.name }, signal })]);
  const controls = requestControls(scenario.request, openapi.components.schemas, kinds);
  const all = joined(controls);
  const request = () => all.value() ?? {};
  const panel = runPanel(scenario, signal, () => parameters.requestSubmit());
  const compare = () => panel.compare(request());

  const run = async () => {
    const body = request();
    setQuery(toQuery(body));
    const started = await panel.begin(start(scenario.name, body, { live: Boolean(scenario.live), signal }));
    panel.element.scrollIntoView();
    await follow(started, body);
  };
  const follow = async (started, body) => {
    setQuery({ ...toQuery(body), run: started.id });
    await panel.follow(started, body);
    compare();
  };

  const reset = h("a", { href: `#/${scenario.path}`, class: "button", onclick: () => (all.set({}), compare()) }, "Reset to the preset");
  const parameters = form(folded(controls, scenario.first), all.fields, run, { button: "Run", more: [reset] });
  for (const event of ["input", "change"]) parameters.addEventListener(event, compare);
  all.set(fromQuery(query, controls));
  if (query.size) await showLinked(query.get("run"));
  return [heading, h("div", { class: "stack" }, h("section", { class: "panel simulator", "aria-label": "Parameters" }, parameters), panel.element)];

  /** Show the run of a link, or start it again if it no longer exists. */
  async function showLinked(id) {
    const linked = id && (await get(`/simulations/${id}`, { signal }).catch(ifMissing));
    if (!linked || linked.scenario !== scenario.name) return void setTimeout(() => parameters.requestSubmit());
    if (query.size === 1) all.set(linked.request); // a run that was started elsewhere
    setTimeout(() => follow(linked, request()).catch(panel.fail));
  }
}

function ifMissing(error) {
  if (error.status === 404) return null;
  throw error;
}

function requestControls(request, schemas, kinds) {
  return Object.entries(schemas[request].properties).map(([name, one]) =>
    name === "policies" ? [name, policiesControl(kinds, one.default)] : [name, control(name, one, schemas)],
  );
}

/** The policies, then the first parameters in their order, and the others folded away. */
function folded(controls, first) {
  const element = Object.fromEntries(controls.map(([name, one]) => [name, one.element]));
  const others = controls.filter(([name]) => !first.includes(name)).map(([name]) => element[name]);
  return [
    element.policies,
    h("div", { class: "fields" }, first.filter((name) => name !== "policies").map((name) => element[name])),
    h("details", { class: "more-settings" }, h("summary", {}, "All other parameters"), h("div", { class: "fields" }, others)),
  ];
}

/** Parameters as the query of an address. */
const toQuery = (body) => Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]));

/** The parameters in the query of an address. */
function fromQuery(query, controls) {
  const known = new Set(controls.map(([name]) => name));
  return Object.fromEntries([...query].filter(([name]) => known.has(name)).map(([name, text]) => [name, parsed(text)]));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
