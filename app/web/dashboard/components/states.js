/** What stands in the place of content: nothing yet, or a failure; always with the next step. */

import { h } from "../dom.js";

/** Nothing there, and what to do about it. */
export const empty = (sentence, ...next) =>
  h("div", { class: "empty" }, h("p", {}, sentence), next.length ? h("p", { class: "next" }, next) : null);

/** What went wrong on the way to a page, with a way to try again. */
export function failure(error, again) {
  const missing = error.status === 404;
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("h1", {}, missing ? "Not found" : "This did not work"),
    h("p", {}, `${sentence(error)}`),
    h(
      "p",
      { class: "next" },
      h("button", { type: "button", onclick: again }, "Try again"),
      h("a", { href: "#/" }, "All experiments"),
    ),
  );
}

/** An error as a sentence for people. */
export function sentence(error) {
  const text = error.message || String(error);
  if (text.includes("dynamically imported module")) return "Groundhog was updated meanwhile: reload the page.";
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");
}
