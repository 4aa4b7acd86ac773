/** A decision log: pasted, dropped or chosen as a file. */

import { formField } from "../../components/forms/form.js";
import { textOrFile } from "../../components/forms/text-or-file.js";
import { h } from "../../dom.js";

const EXAMPLE = "arm,propensity,reward\nred,0.5,0\nblue,0.5,1";

/** A field for a log; `request()` resolves to the request's body and its content type. */
export function logField() {
  const field = formField({ name: "log", label: "Log", kind: "area", placeholder: EXAMPLE, hint: "CSV with the columns arm, propensity, reward and optionally value; or NDJSON with the same names. One line per decision." });
  field.input.rows = 7;
  field.input.spellcheck = false;
  const log = textOrFile(field.input, { accept: ".csv,.ndjson,.jsonl,text/csv" });
  return {
    element: log.dropTarget(h("div", { class: "upload" }, field.element, log.note, h("p", { class: "buttons" }, log.button))),
    fields: () => [field],
    async request() {
      const isJson = (await log.beginning()).trimStart().startsWith("{");
      return [log.content(), isJson ? "application/x-ndjson" : "text/csv"];
    },
  };
}
