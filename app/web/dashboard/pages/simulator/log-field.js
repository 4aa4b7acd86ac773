/** A log of decisions: pasted, dropped or chosen. */

import { formField } from "../../components/form.js";
import { announce, h, uniqueId } from "../../dom.js";

const EXAMPLE = "arm,propensity,reward\nred,0.5,0\nblue,0.5,1";

/** A field for a log, and its text as it is sent. */
export function logField() {
  const field = formField({ name: "log", label: "Log", kind: "area", placeholder: EXAMPLE, hint: "CSV with the columns arm, propensity, reward and perhaps value; or NDJSON with the same names. A line for every decision." });
  field.input.rows = 7;
  field.input.spellcheck = false;
  const file = h("input", { id: uniqueId("file"), type: "file", accept: ".csv,.ndjson,.jsonl,text/csv", class: "visually-hidden", onchange: () => read(file.files) });
  const element = h(
    "div",
    { class: "upload", ondragover: over, ondragleave: out, ondrop: drop },
    field.element,
    h("p", { class: "buttons" }, h("label", { class: "button", for: file.id }, "Choose a file…"), file),
  );
  return { element, field, value: () => field.input.value };

  function over(event) {
    event.preventDefault();
    element.classList.add("over");
  }

  function out() {
    element.classList.remove("over");
  }

  function drop(event) {
    event.preventDefault();
    out();
    if (event.dataTransfer.files.length) read(event.dataTransfer.files);
    else field.input.value = event.dataTransfer.getData("text");
  }

  async function read(files) {
    field.input.value = await files[0].text();
    announce(`${files[0].name} is ready to be judged.`);
  }
}
