const today = (id) => [
  `/experiments/${id}`, `/experiments/${id}/gain`, `/allocations/${id}`, `/experiments/${id}/comparison`,
  `/experiments/${id}/posterior?points=45`,
];

/**
 * Every page there is: the one place to add one.
 *
 * A page is a module in pages/ that exports `show(place)`. It returns the page's element, or a promise of it; what it
 * throws is shown in words. `place` has
 * - `params`: what stands in the address for each `:name` of the path,
 * - `query`: URLSearchParams of what follows its `?`,
 * - `signal`: an AbortSignal that ends with the page: give it to every request and listener,
 * - `setQuery(values)`: writes values into the address without leaving the page, so that a link shows the same.
 * `begins(params)` lists what such a page asks the service first, for it to be asked at once (early.js).
 * The first `<h1>` is the page's title. `nav` is its word in the navigation; pages without one are reached by links.
 */
export const PAGES = [
  { path: "", nav: "Experiments", begins: () => ["/experiments?limit=50"], load: () => import("./pages/experiments.js") },
  { path: "new", load: () => import("./pages/create.js") },
  { path: "experiments/:id", begins: ({ id }) => today(id), load: () => import("./pages/today.js") },
  { path: "experiments/:id/history", load: () => import("./pages/history.js") },
  { path: "experiments/:id/data", load: () => import("./pages/data.js") },
  { path: "experiments/:id/settings", load: () => import("./pages/settings.js") },
  { path: "upload", nav: "Upload", load: () => import("./pages/upload.js") },
  { path: "plan", nav: "Plan", load: () => import("./pages/plan.js") },
  { path: "time-machine", nav: "Time machine", load: () => import("./pages/time-machine.js") },
  { path: "drag-race", nav: "Drag race", load: () => import("./pages/drag-race.js") },
  { path: "replay", nav: "Replay", load: () => import("./pages/replay.js") },
];
