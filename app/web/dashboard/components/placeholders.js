/** What is shown in place of content: an empty state or an error, each with the next step. */

import { h } from "../dom.js";

/** An empty state, and what to do about it. */
export const empty = (text, ...next) =>
  h("div", { class: "empty" }, h("p", {}, text), next.length ? h("p", { class: "next" }, next) : null);

/** A page that could not be shown, with a button to try again. */
export function failure(error, retry) {
  const missing = error.status === 404;
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("h1", {}, missing ? "Not found" : "This did not work"),
    h("p", {}, sentence(error)),
    h(
      "p",
      { class: "next" },
      h("button", { type: "button", onclick: retry }, "Try again"),
      h("a", { href: "#/" }, "All experiments"),
    ),
  );
}

/** An error's message as a sentence. */
export function sentence(error) {
  const text = error.message || String(error);
  if (text.includes("dynamically imported module")) return "Groundhog was updated in the meantime: reload the page.";
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");
}
