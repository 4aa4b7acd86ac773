/** All experiments: their state, today's shares, who leads and how old the data are. */

import { get } from "../api.js";
import { address } from "../router.js";
import { gateBadges, stateBadge } from "../components/badges.js";
import { attempt } from "../components/dialog.js";
import { h, replace } from "../dom.js";
import { day, daysAgo, percent } from "../format.js";
import { empty, sentence } from "../components/states.js";
import { distinct, named, variantName, variantsById } from "../components/names.js";
import { shareBar } from "../components/shares.js";

const SIZE = 50;

export async function show({ signal }) {
  const cards = h("ul", { class: "cards" });
  const archived = h("ul", { class: "cards" });
  const more = h("div", { class: "buttons" });
  const page = await add(null);
  if (!page.items.length) return [heading(), nothing()];
  return [heading(), cards, more, h("details", { class: "archive", hidden: !archived.children.length }, h("summary", {}, "Archived"), archived)];

  async function add(cursor) {
    const page = await get("/experiments", { query: { limit: SIZE, cursor }, signal });
    for (const experiment of page.items.map(distinct)) {
      (experiment.state === "archived" ? archived : cards).append(card(experiment, signal));
    }
    const next = h("button", { type: "button", onclick: () => attempt(() => add(page.next_cursor), "More experiments are shown.", () => {}) }, "Show more");
    replace(more, page.next_cursor && next);
    return page;
  }
}

const heading = () =>
  h(
    "div",
    { class: "heading" },
    h("h1", {}, "Experiments"),
    h("p", { class: "buttons" }, h("a", { class: "button primary", href: "#/new" }, "New experiment")),
  );

const nothing = () =>
  empty(
    "No experiment yet. Create one, or just send daily totals: whatever is not known is registered on the way.",
    h("a", { class: "button primary", href: "#/new" }, "Create an experiment"),
    h("a", { class: "button", href: "#/upload" }, "Upload a CSV"),
  );

function card(experiment, signal) {
  const id = experiment.experiment_id;
  const badges = h("p", { class: "badges" }, stateBadge(experiment));
  const today = h("div", { class: "today", "aria-busy": "true" }, h("div", { class: "bar waiting" }));
  get(`/allocations/${id}`, { signal })
    .then((allocation) => {
      badges.append(...gateBadges(allocation.gates));
      replace(today, allocated(experiment, allocation));
    })
    .catch((error) => signal.aborted || replace(today, h("p", { class: "hint" }, sentence(error))))
    .finally(() => today.removeAttribute("aria-busy"));
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: address("experiments", id) }, named(experiment.name, id))),
    experiment.description && h("p", { class: "description" }, experiment.description),
    badges,
    today,
  );
}

function allocated(experiment, allocation) {
  const variant = variantsById(experiment);
  const judged = allocation.data_through ? allocation.variants.filter(({ p_best }) => p_best !== null) : [];
  const best = judged.reduce((a, b) => (b.p_best > (a?.p_best ?? -1) ? b : a), null);
  const since = allocation.data_through;
  return [
    shareBar(experiment, allocation.allocations),
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, "P(best)"), h("dd", {}, best ? [h("b", {}, percent(best.p_best, 1)), ` ${variantName(variant(best.variant_id))}`] : "–")),
      h("div", {}, h("dt", {}, "Data up to"), h("dd", { title: since && day(since) }, since ? daysAgo(since, allocation.date) : "none yet")),
    ),
  ];
}
