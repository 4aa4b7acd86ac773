/** The API key: asked for only when the service wants one, kept in memory only. */

import { dialog } from "./dialog.js";
import { h } from "../dom.js";

let asking = null;

/** Ask for an API key; requests that wait for one share the question. `wrong`: the last one was refused. */
export function askForKey(wrong) {
  asking ??= ask(wrong).finally(() => (asking = null));
  return asking;
}

async function ask(wrong) {
  let key = null;
  while (!key) key = await dialog("This service asks for an API key", (close) => question(close, wrong));
  return key;
}

function question(close, wrong) {
  const input = h("input", { id: "api-key", type: "password", autocomplete: "off", required: true });
  const send = (event) => (event.preventDefault(), close(input.value.trim()));
  return [
    h(
      "form",
      { onsubmit: send },
      wrong && h("p", { class: "fault", role: "alert" }, "That key was not accepted."),
      h("label", { for: "api-key" }, "API key"),
      input,
      h("p", { class: "hint" }, "It is kept until this page is closed or reloaded, and nowhere else."),
      h("p", { class: "buttons" }, h("button", { class: "primary" }, "Use this key")),
    ),
  ];
}
