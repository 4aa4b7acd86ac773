/** The API key: asked for only when the service wants one, kept in memory only. */

import { dialog } from "./dialog.js";
import { h } from "../dom.js";
import { sentence } from "./states.js";

let asking = null;

/**
 * Ask for an API key, null where that is dismissed; requests that wait for one share the question.
 *
 * @param {?Error} refusal - why the last key was not accepted
 */
export function askForKey(refusal) {
  asking ??= dialog("This service asks for an API key", (close) => question(close, refusal)).finally(() => (asking = null));
  return asking;
}

const SIGNS = "\\s*[!-~]+\\s*"; // what fits into a header; others would be taken for a lost connection

function question(close, refusal) {
  const input = h("input", { id: "api-key", type: "password", autocomplete: "off", required: true, pattern: SIGNS, title: "A key begins with gh_ and has only letters, digits, - and _" });
  const send = (event) => (event.preventDefault(), close(input.value.trim()));
  return [
    h(
      "form",
      { onsubmit: send },
      refusal && h("p", { class: "fault", role: "alert" }, `That key was not accepted. ${sentence(refusal)}`),
      h("label", { for: "api-key" }, "API key"),
      input,
      h("p", { class: "hint" }, "It is kept until this page is closed or reloaded, and nowhere else."),
      h("p", { class: "buttons" }, h("button", { type: "button", onclick: () => close(null) }, "Cancel"), h("button", { class: "primary" }, "Use this key")),
    ),
  ];
}
