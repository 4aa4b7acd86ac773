const today = (id) => [
  `/experiments/${id}`, `/experiments/${id}/gain`, `/allocations/${id}`, `/experiments/${id}/comparison`,
  `/experiments/${id}/posterior?points=45`,
];

/**
 * Every page of the dashboard: the one place to add one.
 *
 * A page is a module in pages/ that exports `show(context)`. It returns the page's elements, or a promise of them; an
 * error it throws is shown to the reader. `context` has
 * - `params`: the values of the `:name` parts of the path,
 * - `query`: URLSearchParams of the part of the address behind its `?`,
 * - `signal`: an AbortSignal that aborts when the reader leaves: give it to every request and listener,
 * - `setQuery(values)`: writes values into the address without leaving the page, so that a link shows the same.
 * `prefetch(params)` lists the URLs that the page requests first (prefetch.js).
 * The first `<h1>` is the page's title. `nav` is its label in the navigation; pages without one are reached by links.
 */
export const ROUTES = [
  { path: "", nav: "Experiments", prefetch: () => ["/experiments?limit=50"], load: () => import("./pages/experiments.js") },
  { path: "new", load: () => import("./pages/create.js") },
  { path: "experiments/:id", prefetch: ({ id }) => today(id), load: () => import("./pages/experiment/today.js") },
  { path: "experiments/:id/history", load: () => import("./pages/experiment/history.js") },
  { path: "experiments/:id/data", load: () => import("./pages/experiment/data.js") },
  { path: "experiments/:id/settings", load: () => import("./pages/experiment/settings.js") },
  { path: "upload", nav: "Upload", load: () => import("./pages/upload.js") },
  { path: "plan", nav: "Plan", load: () => import("./pages/plan.js") },
  { path: "time-machine", nav: "Time machine", load: () => import("./pages/time-machine.js") },
  { path: "drag-race", nav: "Drag race", load: () => import("./pages/drag-race.js") },
  { path: "replay", nav: "Replay", load: () => import("./pages/replay/replay.js") },
];
