/** Questions that stop everything else until they are answered. */

import { h, announce, uniqueId } from "../dom.js";
import { sentence } from "./states.js";

/**
 * Show a dialog; the promise gives what `close` is called with, and null when it is dismissed.
 * Whoever goes to another page dismisses it: it would ask about what is no longer to be seen.
 */
export function dialog(title, content) {
  return new Promise((resolve) => {
    const heading = h("h2", { id: uniqueId("dialog") }, title);
    const element = h("dialog", { "aria-labelledby": heading.id });
    const left = new AbortController();
    let answer = null;
    const close = (value) => ((answer = value), element.close());
    element.append(heading, ...content(close));
    element.addEventListener("close", () => (left.abort(), element.remove(), resolve(answer)));
    addEventListener("hashchange", () => element.close(), { signal: left.signal });
    document.body.append(element);
    element.showModal();
  });
}

/** Ask whether to go on; true only after the button that names the deed. */
export const confirm = (title, sentence, deed, kind = "primary") =>
  dialog(title, (close) => [
    h("p", {}, sentence),
    h(
      "p",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => close(null) }, "Cancel"),
      h("button", { type: "button", class: kind, onclick: () => close(true) }, deed),
    ),
  ]);

/** Do something; say that it is done and go on, or show why it did not work. */
export async function attempt(deed, said, done) {
  try {
    await deed();
  } catch (error) {
    await dialog("That did not work", (close) => [
      h("p", {}, sentence(error)),
      h("p", { class: "buttons" }, h("button", { type: "button", onclick: () => close(null) }, "Close")),
    ]);
    return;
  }
  announce(said);
  done();
}
