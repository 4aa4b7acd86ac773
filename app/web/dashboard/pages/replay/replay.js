/** Off-policy evaluation: what other policies would have earned, estimated from decisions that were really made. */

import { get, postText } from "../../api.js";
import { form } from "../../components/forms/form.js";
import { empty, sentence } from "../../components/placeholders.js";
import { announce, h, replace } from "../../dom.js";
import { plural } from "../../format.js";
import { readOpenapi } from "../simulator/page.js";
import { policiesControl } from "../simulator/policy-rows.js";
import { progressPanel } from "../simulator/progress-panel.js";
import { reasonOf } from "../simulator/run-panel.js";
import { cancel, follow } from "../simulator/run-stream.js";
import { control, joined } from "../simulator/schema-controls.js";
import { evaluation } from "./evaluation.js";
import { logSource } from "./log-source.js";

export async function show({ query, signal, setQuery }) {
  const [openapi, { items: kinds }, { items: experiments }] = await Promise.all([
    readOpenapi(),
    get("/policies", { query: { scenario: "replay" }, signal }),
    get("/experiments", { query: { limit: 200 }, signal }),
  ]);
  const parameters = openapi.paths["/simulations/replay"].post.parameters.filter((one) => one.in === "query" && one.name !== "policy");
  const source = logSource(experiments, query);
  const policies = policiesControl(kinds, [], { min: 0 });
  const others = parameters.map(({ name, schema, description }) => [name, control(name, { ...schema, description }, openapi.components.schemas)]);
  const result = h("div", { class: "stack run" }, empty("No evaluation yet. Paste a log with the columns arm, propensity and reward, drop a file, or name a tracked experiment; then press Evaluate."));

  const showRun = async (run) => {
    setQuery({ ...source.query(), run: run.id });
    const panel = progressPanel(() => cancel(run.id));
    if (run.state !== "done") replace(result, panel.element);
    const ended = await follow(run, panel.show, signal);
    if (ended.state !== "done") return replace(result, h("p", { class: "notice bad", role: "alert" }, reasonOf(ended)));
    replace(result, evaluation(ended, signal));
    announce(`${plural(ended.log.decisions, "decision")} evaluated.`);
  };
  const evaluate = async () => {
    const [content, type] = await source.request();
    await showRun(await postText(`/simulations/replay?${requestQuery(policies.value(), joined(others).value())}`, content, type, { signal }).catch(placeErrors));
  };
  const fields = () => [...source.fields(), ...policies.fields(), ...joined(others).fields()];
  const rest = h("details", { class: "more-settings" }, h("summary", {}, "All other parameters"), h("div", { class: "fields" }, others.map(([, one]) => one.element)));
  const hint = h("p", { class: "hint" }, "Without any, the even split and each arm alone are evaluated.");
  const parametersForm = form([source.element, policies.element, hint, rest], fields, evaluate, { button: "Evaluate" });
  if (query.has("run")) setTimeout(() => showLinked(query.get("run")));
  return [
    h("h1", {}, "Replay"),
    h("p", { class: "lead" }, "What would other policies have earned with the decisions of a log, or of a tracked experiment's units? Each reward is weighted by the inverse of its decision's propensity. Logs are not stored."),
    h("div", { class: "stack" }, h("section", { class: "panel simulator", "aria-label": "Evaluation" }, parametersForm), result),
  ];

  async function showLinked(id) {
    try {
      await showRun(await get(`/simulations/${id}`, { signal }));
    } catch (error) {
      if (error.name !== "AbortError") replace(result, h("p", { class: "notice bad", role: "alert" }, sentence(error)));
    }
  }
}

/** The parameters as the query of the request: policies as JSON, lists as repeated parameters. */
function requestQuery(policies = [], others = {}) {
  const pairs = Object.entries(others).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  return new URLSearchParams([...policies.map((policy) => ["policy", JSON.stringify(policy)]), ...pairs]);
}

/** Name the fields of an error as on this page, with the lines of the log in the messages. */
function placeErrors(error) {
  error.fields = (error.fields ?? []).map(({ field, message, line }) => ({ field: field.replace(/^(query|body)\./, ""), message: line ? `Line ${line}: ${message}.` : message }));
  throw error;
}
