/** From the address behind the # to a page: `#/experiments/homepage_test?days=30`. */

import { matching } from "./addresses.js";
import { get } from "./api.js";
import { replace } from "./dom.js";
import { failure } from "./components/states.js";

let leave = new AbortController();
let shown = null;

/** Show the page that the address names, now and whenever it changes. */
export function followAddress(pages) {
  const show = () => showPage(pages, location.hash.replace(/^#\/?/, ""));
  addEventListener("hashchange", show);
  show();
}

/** Go to a page: `go("experiments/homepage_test")`. Going where one is shows it anew. */
export function go(address) {
  if (location.hash === `#/${address}`) showAgain();
  else location.hash = `/${address}`;
}

/** Show the page anew that one is on. */
export const showAgain = () => dispatchEvent(new Event("hashchange"));

/** The address of a page: `address("experiments", id, "history")`. */
export const address = (...parts) => `#/${parts.join("/")}`;

async function showPage(pages, address) {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const [path, query = ""] = address.split("?", 2);
  const content = document.getElementById("content");
  const first = shown === null;
  markCurrent(path);
  content.setAttribute("aria-busy", "true");
  let page;
  try {
    const found = matching(pages, path);
    if (!found) throw new Error("There is no such page. The experiments are the place to start.");
    const { show } = await loaded(found.page, signal);
    page = await show({ params: found.params, query: new URLSearchParams(query), signal, setQuery: setQuery(path) });
  } catch (error) {
    page = failure(error, () => showPage(pages, address));
  }
  if (signal.aborted) return; // somebody went elsewhere meanwhile
  replace(content, page);
  content.removeAttribute("aria-busy");
  shown = path;
  announce((content.querySelector("h1 .name") ?? content.querySelector("h1"))?.textContent ?? "Groundhog", first);
}

/** Return a page's module; if it cannot be fetched, once more when the service can be reached again. */
async function loaded(page, signal) {
  try {
    return await page.load();
  } catch {
    await get("/livez", { signal });
    return page.load();
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

/** Say where one is: in the title, and to a screen reader by the focus, which starts at the top of a new page. */
function announce(title, first) {
  document.title = title === "Groundhog" ? title : `${title} · Groundhog`;
  revealCurrent();
  if (first) return;
  scrollTo(0, 0);
  document.getElementById("content").focus({ preventScroll: true });
}

/** On small screens the navigation and the tabs are scrolled to where one is. */
function revealCurrent() {
  for (const link of document.querySelectorAll("nav [aria-current]")) {
    const { parentElement: nav } = link;
    nav.scrollLeft = link.offsetLeft - nav.offsetLeft - (nav.clientWidth - link.clientWidth) / 2;
  }
}
