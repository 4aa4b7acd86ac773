/**
 * The answers that the first page asks for, asked for while its modules are still on their way.
 *
 * Without it nothing is asked before the last module is there. A page says in pages.js what it begins with.
 */

import { matching } from "./addresses.js";
import { PAGES } from "./pages.js";

const FRESH = 10_000; // milliseconds: what nobody took by then is asked for anew

const asked = new Map();
setTimeout(() => asked.clear(), FRESH);
const found = matching(PAGES, location.hash.replace(/^#\/?/, "").split("?", 1)[0]);
for (const url of found?.page.begins?.(found.params) ?? []) {
  const answer = fetch(url, { cache: "no-cache" });
  answer.catch(() => null); // whoever takes it hears of its failure
  asked.set(url, answer);
}

/** Return the answer that was asked for early, once; undefined where none was. */
export function taken(url) {
  const answer = asked.get(url);
  asked.delete(url);
  return answer;
}
