/** Shows the page that the address behind the # names: `#/experiments/homepage_test?days=30`. */

import { currentAddress, matchRoute } from "./addresses.js";
import { get } from "./api.js";
import { replace } from "./dom.js";
import { failure } from "./components/placeholders.js";

let leave = new AbortController();
let shown = null;

/** Show the page that the address names, now and whenever it changes. */
export function startRouter(routes) {
  const show = () => showPage(routes, ...currentAddress());
  addEventListener("hashchange", show);
  show();
}

async function showPage(routes, path, query) {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const content = document.getElementById("content");
  const first = shown === null;
  markCurrent(path);
  content.setAttribute("aria-busy", "true");
  let page;
  try {
    const found = matchRoute(routes, path);
    if (!found) throw new Error("There is no such page. Start from the list of experiments.");
    const { show } = await load(found.route, signal);
    page = await show({ params: found.params, query: new URLSearchParams(query), signal, setQuery: setQuery(path) });
  } catch (error) {
    page = failure(error, () => showPage(routes, path, query));
  }
  if (signal.aborted) return; // the reader has gone to another page
  replace(content, page);
  content.removeAttribute("aria-busy");
  shown = path;
  showTitle((content.querySelector("h1 .name") ?? content.querySelector("h1"))?.textContent ?? "Groundhog", first);
}

/** Return a page's module; if it cannot be loaded, try once more when the service is reachable again. */
async function load(route, signal) {
  try {
    return await route.load();
  } catch {
    await get("/livez", { signal });
    return route.load();
  }
}

const setQuery = (path) => (values) => {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== ""));
  const text = query.toString();
  history.replaceState(null, "", `#/${path}${text && "?"}${text}`);
};

function markCurrent(path) {
  for (const link of document.querySelectorAll("#pages a")) {
    const own = link.getAttribute("href").slice(2);
    const section = own === "" ? path === "" || path === "new" || path.startsWith("experiments") : path.split("/")[0] === own;
    if (section) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Set the title, and move a screen reader's focus to the top of the new page. */
function showTitle(title, first) {
  document.title = title === "Groundhog" ? title : `${title} · Groundhog`;
  scrollToCurrent();
  if (first) return;
  scrollTo(0, 0);
  document.getElementById("content").focus({ preventScroll: true });
}

/** On small screens, scroll the navigation and the tabs to the current entry. */
function scrollToCurrent() {
  for (const link of document.querySelectorAll("nav [aria-current]")) {
    const { parentElement: nav } = link;
    nav.scrollLeft = link.offsetLeft - nav.offsetLeft - (nav.clientWidth - link.clientWidth) / 2;
  }
}
