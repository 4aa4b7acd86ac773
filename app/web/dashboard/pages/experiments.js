/** Lists all experiments: their state, today's shares, the leading variant and the age of their data. */

import { address } from "../addresses.js";
import { get } from "../api.js";
import { gateBadges, stateBadge } from "../components/experiment/badges.js";
import { nameWithId, variantName, variantsById, withDistinctNames } from "../components/experiment/names.js";
import { shareBar } from "../components/experiment/share-bar.js";
import { attempt } from "../components/forms/dialog.js";
import { empty, sentence } from "../components/placeholders.js";
import { h, replace } from "../dom.js";
import { day, daysAgo, NONE, percent } from "../format.js";

const PAGE_SIZE = 50;

export async function show({ signal }) {
  const cards = h("ul", { class: "cards" });
  const archived = h("ul", { class: "cards" });
  const more = h("div", { class: "buttons" });
  const page = await add(null);
  if (!page.items.length) return [heading(), noExperiments()];
  return [heading(), cards, more, h("details", { class: "archive", hidden: !archived.children.length }, h("summary", {}, "Archived"), archived)];

  async function add(cursor) {
    const page = await get("/experiments", { query: { limit: PAGE_SIZE, cursor }, signal });
    for (const experiment of page.items.map(withDistinctNames)) {
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

const noExperiments = () =>
  empty(
    "No experiments yet. Create one, or just send daily totals: unknown experiments and variants are registered implicitly.",
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
      replace(today, summary(experiment, allocation));
    })
    .catch((error) => signal.aborted || replace(today, h("p", { class: "hint" }, sentence(error))))
    .finally(() => today.removeAttribute("aria-busy"));
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: address("experiments", id) }, nameWithId(experiment.name, id))),
    experiment.description && h("p", { class: "description" }, experiment.description),
    badges,
    today,
  );
}

function summary(experiment, allocation) {
  const variant = variantsById(experiment);
  const judged = allocation.variants.filter(({ p_best, impressions }) => p_best !== null && impressions > 0);
  const best = judged.reduce((a, b) => (b.p_best > (a?.p_best ?? -1) ? b : a), null);
  const since = allocation.data_through;
  return [
    shareBar(experiment, allocation.allocations),
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, "P(best)"), h("dd", {}, best ? [h("b", {}, percent(best.p_best, 1)), ` ${variantName(variant(best.variant_id))}`] : NONE)),
      h("div", {}, h("dt", {}, "Data through"), h("dd", { title: since && day(since) }, since ? daysAgo(since, allocation.date) : "no data")),
    ),
  ];
}
