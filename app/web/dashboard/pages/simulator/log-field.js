/** A log of decisions: pasted, dropped or chosen. */

import { formField } from "../../components/form.js";
import { textOrFile } from "../../components/text-or-file.js";
import { h } from "../../dom.js";

const EXAMPLE = "arm,propensity,reward\nred,0.5,0\nblue,0.5,1";

/** A field for a log; `sent()` is what to send and of which type. */
export function logField() {
  const field = formField({ name: "log", label: "Log", kind: "area", placeholder: EXAMPLE, hint: "CSV with the columns arm, propensity, reward and perhaps value; or NDJSON with the same names. A line for every decision." });
  field.input.rows = 7;
  field.input.spellcheck = false;
  const log = textOrFile(field.input, { accept: ".csv,.ndjson,.jsonl,text/csv" });
  return {
    element: log.target(h("div", { class: "upload" }, field.element, log.note, h("p", { class: "buttons" }, log.button))),
    fields: () => [field],
    async sent() {
      const isJson = (await log.beginning()).trimStart().startsWith("{");
      return [log.content(), isJson ? "application/x-ndjson" : "text/csv"];
    },
  };
}
