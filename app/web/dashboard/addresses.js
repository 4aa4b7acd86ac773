/** Addresses of pages, which are the part of the URL behind the #: making them, matching them, going to them. */

const IDENTIFIER = /^[A-Za-z0-9][\w.-]*$/; // as the API has them: safe in any path

/** The address of a page: `address("experiments", id, "history")`. */
export const address = (...parts) => `#/${parts.join("/")}`;

/** The path and the query of the current address: `["experiments/homepage_test", "days=30"]`. */
export function currentAddress() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return [path, query];
}

/** Go to a page: `go("experiments/homepage_test")`. Going to the current page loads it again. */
export function go(target) {
  if (location.hash === `#/${target}`) refresh();
  else location.hash = `/${target}`;
}

/** Load the current page again. */
export const refresh = () => dispatchEvent(new Event("hashchange"));

/** Return the route whose path matches, and the values of its parameters; null if there is none. */
export function matchRoute(routes, path) {
  const parts = path.split("/").filter(Boolean);
  for (const route of routes) {
    const names = route.path.split("/").filter(Boolean);
    const matches = (name, i) => (name.startsWith(":") ? IDENTIFIER.test(parts[i]) : name === parts[i]);
    if (names.length !== parts.length || !names.every(matches)) continue;
    const params = names.flatMap((name, i) => (name.startsWith(":") ? [[name.slice(1), parts[i]]] : []));
    return { route, params: Object.fromEntries(params) };
  }
  return null;
}
