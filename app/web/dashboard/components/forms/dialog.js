/** Modal dialogs. */

import { h, announce, uniqueId } from "../../dom.js";
import { sentence } from "../placeholders.js";

/**
 * Show a dialog; the promise resolves to what `close` is called with, and to null when it is dismissed.
 * Going to another page dismisses it: its subject is no longer on the screen.
 */
export function dialog(title, content) {
  return new Promise((resolve) => {
    const heading = h("h2", { id: uniqueId("dialog") }, title);
    const element = h("dialog", { "aria-labelledby": heading.id });
    const closed = new AbortController();
    let result = null;
    const close = (value) => ((result = value), element.close());
    element.append(heading, ...content(close));
    element.addEventListener("close", () => (closed.abort(), element.remove(), resolve(result)));
    addEventListener("hashchange", () => element.close(), { signal: closed.signal });
    document.body.append(element);
    element.showModal();
  });
}

/** Ask for confirmation; true only if the button labelled `action` was pressed. */
export const confirm = (title, explanation, action, kind = "primary") =>
  dialog(title, (close) => [
    h("p", {}, explanation),
    h(
      "p",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => close(null) }, "Cancel"),
      h("button", { type: "button", class: kind, onclick: () => close(true) }, action),
    ),
  ]);

/** Run an action, then announce `message` and call `done`; show a dialog if it fails. */
export async function attempt(action, message, done) {
  try {
    await action();
  } catch (error) {
    await dialog("That did not work", (close) => [
      h("p", {}, sentence(error)),
      h("p", { class: "buttons" }, h("button", { type: "button", onclick: () => close(null) }, "Close")),
    ]);
    return;
  }
  announce(message);
  done();
}
