/**
 * What the pages of the simulator share: a form with every parameter, a run that is followed, and its results.
 *
 * The state is in the address: the parameters that differ from the usual ones, and the run they led to. A link shows
 * that run; where it is gone, the same parameters make the same figures again.
 */

import { get } from "../../api.js";
import { form } from "../../components/form.js";
import { announce, h, replace } from "../../dom.js";
import { sentence } from "../../components/states.js";
import { control, joined } from "./controls.js";
import { cancel, followed, start } from "./follow.js";
import { policiesControl } from "./policies.js";
import { progressPanel } from "./progress.js";

let description = null;

/** What the service says of itself, read once. */
const described = () => (description ??= get("/openapi.json").catch((error) => ((description = null), Promise.reject(error))));

/**
 * The page of a scenario.
 *
 * @param {object} place - see pages.js
 * @param {object} scenario
 * @param {string} scenario.name - as the API names it
 * @param {string} scenario.request - the name of the request's schema
 * @param {string[]} scenario.first - the parameters that are not folded away
 * @param {boolean} scenario.live - whether to follow a run from its start
 * @param {(run) => Node[]} scenario.results - what is shown of a run that is done
 * @param {(standing, run) => void} [scenario.standing] - shows how it stands while it is played
 * @param {(run) => string} scenario.headline - the result in a sentence
 */
export async function simulatorPage({ query, signal, setQuery }, scenario, heading) {
  const [openapi, { items: kinds }] = await Promise.all([described(), get("/policies", { query: { scenario: scenario.name }, signal })]);
  const schemas = openapi.components.schemas;
  const controls = requestControls(schemas[scenario.request], schemas, kinds);
  const all = joined(controls);
  const asked = () => all.value() ?? {};
  const outcome = h("div", { class: "stack outcome" });
  let shown = null;
  const old = h("p", { class: "notice warn old", role: "status", hidden: true });

  const play = async () => {
    const body = asked();
    remember(body, null);
    const run = await start(scenario.name, body, { live: scenario.live, signal });
    outcome.scrollIntoView();
    await follow(run, body);
  };
  const follow = async (run, body) => {
    remember(body, run.id);
    replace(outcome, scenario.waiting?.(run, signal));
    const panel = progressPanel(run, () => cancel(run.id));
    const waiting = setTimeout(() => outcome.prepend(panel.element), 150); // most are faster
    try {
      const ended = await followed(run, (state, told) => (panel.show(state, told), told.standing && scenario.standing?.(told.standing)), signal);
      if (ended.state !== "done") return replace(outcome, over(ended, () => filled.requestSubmit()));
      replace(outcome, old, scenario.results(ended, signal));
      announce(scenario.headline(ended));
      shown = JSON.stringify(body);
      markOld();
    } finally {
      clearTimeout(waiting);
      panel.element.remove();
    }
  };
  const remember = (body, run) => setQuery({ ...Object.fromEntries(Object.entries(body).map(([name, value]) => [name, written(value)])), run });
  const markOld = () => {
    const differs = shown !== null && shown !== JSON.stringify(asked());
    old.hidden = !differs;
    old.textContent = differs ? "These results are old: they belong to other parameters than those above. Play again to renew them." : "";
    outcome.classList.toggle("stale", differs);
  };

  const [first, rest] = [true, false].map((usual) => controls.filter(([name]) => scenario.first.includes(name) === usual));
  const content = [
    first.filter(([name]) => name === "policies").map(([, one]) => one.element),
    h("div", { class: "fields" }, scenario.first.filter((name) => name !== "policies").map((name) => first.find(([own]) => own === name)?.[1].element)),
    h("details", { class: "more-settings" }, h("summary", {}, "Every other parameter"), h("div", { class: "fields" }, rest.map(([, one]) => one.element))),
  ];
  const preset = h("a", { href: `#/${scenario.path}`, class: "button", onclick: () => (all.set({}), markOld()) }, "Back to the preset");
  const filled = form(content, all.fields, play, { button: "Play", more: [preset] });
  for (const happened of ["input", "change"]) filled.addEventListener(happened, markOld);

  all.set(asQueried(query, controls));
  if ([...query.keys()].length) await again(query.get("run"));
  else replace(outcome, scenario.empty);
  return [heading, h("div", { class: "stack" }, h("section", { class: "panel simulator", "aria-label": "Parameters" }, filled), outcome)];

  function fail(error) {
    if (error.name !== "AbortError") replace(outcome, h("p", { class: "notice bad", role: "alert" }, sentence(error)));
  }

  /** Show the run of a link, or play it again where it is gone. */
  async function again(id) {
    const run = id && (await get(`/simulations/${id}`, { signal }).catch((error) => (error.status === 404 ? null : Promise.reject(error))));
    if (!run || run.scenario !== scenario.name) return void setTimeout(() => filled.requestSubmit());
    if ([...query.keys()].length === 1) all.set(run.request);
    setTimeout(() => follow(run, asked()).catch(fail));
  }
}

function requestControls(schema, schemas, kinds) {
  return Object.entries(schema.properties).map(([name, one]) =>
    name === "policies" ? [name, policiesControl(kinds, one.default)] : [name, control(name, one, schemas)],
  );
}

const written = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

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

const SAID = { cancelled: "It was cancelled.", failed: "It failed" };

const over = (run, again) =>
  h(
    "div",
    { class: "empty", role: "alert" },
    h("p", {}, run.state === "failed" ? `${SAID.failed}: ${run.fault}.` : SAID[run.state]),
    h("p", { class: "next" }, h("button", { type: "button", onclick: again }, "Play it again")),
  );
