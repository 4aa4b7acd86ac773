/** Asks for an API key, when the service requires one. */

import { h } from "../../dom.js";
import { sentence } from "../placeholders.js";
import { dialog } from "./dialog.js";

let open = null;

/**
 * Ask for an API key, null if that is dismissed; requests that wait for one share the dialog.
 *
 * @param {?Error} error - why the last key was not accepted
 */
export function askForKey(error) {
  open ??= dialog("This service requires an API key", (close) => content(close, error)).finally(() => (open = null));
  return open;
}

const PATTERN = "\\s*[!-~]+\\s*"; // characters that a header can hold; with others the request itself would fail

function content(close, error) {
  const input = h("input", { id: "api-key", type: "password", autocomplete: "off", required: true, pattern: PATTERN, title: "A key begins with gh_ and has only letters, digits, - and _" });
  const submit = (event) => (event.preventDefault(), close(input.value.trim()));
  return [
    h(
      "form",
      { onsubmit: submit },
      error && h("p", { class: "error", role: "alert" }, `That key was not accepted. ${sentence(error)}`),
      h("label", { for: "api-key" }, "API key"),
      input,
      h("p", { class: "hint" }, "It is held in memory until this page is closed or reloaded, and stored nowhere."),
      h("p", { class: "buttons" }, h("button", { type: "button", onclick: () => close(null) }, "Cancel"), h("button", { class: "primary" }, "Use this key")),
    ),
  ];
}
