/** One experiment over time: who got what share, what each variant did, and how sure the answers were. */

import { getAll } from "../api.js";
import { gateName } from "../components/badges.js";
import { chart, FEW, variantColour } from "../charts.js";
import { csvButton } from "../components/download.js";
import { h } from "../dom.js";
import { experimentPage, readExperiment } from "../components/experiment.js";
import { count, day, daysBefore, moment, percent, perImpression, plural, rate, share, todayIn } from "../format.js";
import { intervalText } from "../components/interval.js";
import { variantName, variantsById } from "../components/names.js";
import { chosenPeriod, incomplete, MOST_TOTALS, periodChoice } from "../components/period.js";
import { empty } from "../components/states.js";
import { go } from "../router.js";
import { table } from "../components/table.js";
import { cumulative, dailyRates, lastOfEachDate } from "../series.js";

export async function show({ params: { id }, query, signal }) {
  const period = chosenPeriod(query);
  const today = todayIn("UTC");
  const since = period === "all" ? "" : daysBefore(today, Number(period));
  const [experiment, revisions, totals] = await Promise.all([
    readExperiment(id, signal),
    getAll(`/allocations/${id}/history`, { signal, enough: (items) => items.at(-1).date < since }),
    getAll(`/metrics/${id}`, { query: { since }, signal, most: MOST_TOTALS }),
  ]);
  const shown = revisions.filter(({ date }) => date >= since);
  const scene = new Scene(experiment, mostShown(experiment, shown, totals), signal);
  return experimentPage(
    experiment,
    "history",
    [],
    periodChoice(period, (chosen) => go(`experiments/${id}/history?days=${chosen}`)),
    incomplete(totals),
    shown.length || totals.length
      ? h(
          "div",
          { class: "grid" },
          shown.length ? scene.shares(shown) : noAnswers(),
          totals.length ? scene.totals(totals) : noTotals(),
          shown.length ? scene.certainty(shown) : null,
        )
      : empty("Nothing is recorded and no totals are stored in this time.", h("a", { class: "button primary", href: "#/upload" }, "Upload a CSV")),
  );
}

const noAnswers = () => empty("No answer is recorded in this time: an allocation is recorded on the day somebody asks for it.");
const noTotals = () => empty("No daily totals in this time.", h("a", { class: "button", href: "#/upload" }, "Upload a CSV"));

/** The axis of these dates; few of them are told one by one. */
function dateAxis(dates) {
  const days = new Set(dates).size;
  return { field: "date", type: "temporal", title: null, axis: { format: "%b %d", labelFlush: true, tickCount: days > 7 ? 6 : "day" } };
}

/** The ids of the variants that are drawn: all, or of many those with the largest shares, else the most impressions. */
function mostShown(experiment, revisions, totals) {
  const ids = experiment.variants.map(({ variant_id }) => variant_id);
  if (ids.length <= FEW) return ids;
  const last = lastOfEachDate(revisions).at(-1)?.allocations;
  const weight = new Map(last ? Object.entries(last) : totals.map(({ variant_id, impressions }) => [variant_id, impressions]));
  const largest = [...ids].sort((a, b) => (weight.get(b) ?? 0) - (weight.get(a) ?? 0)).slice(0, FEW);
  return ids.filter((id) => largest.includes(id));
}

const OTHERS = "all others";
const at = (text) => `${text}T00:00:00`; // a calendar day, drawn as one wherever the reader is

/** The charts of an experiment, in which a variant has one name and one colour. */
class Scene {
  constructor(experiment, drawn, signal) {
    this.experiment = experiment;
    this.signal = signal;
    const variant = variantsById(experiment);
    this.name = (id) => variantName(variant(id));
    this.every = experiment.variants.map(({ variant_id }) => variant_id);
    this.ids = drawn;
    this.some = drawn.length < this.every.length;
    const names = experiment.variants.map(variantName);
    this.colour = variantColour(names, drawn.map(this.name));
    this.stacked = this.some ? variantColour([...names, OTHERS], [...drawn.map(this.name), OTHERS]) : this.colour;
    this.note = this.some ? ` Drawn are ${drawn.length} of ${plural(names.length, "variant")}; the CSV has all.` : "";
  }

  /** How sure the answers were, on dates with data, and every revision. */
  certainty(revisions) {
    const informed = lastOfEachDate(revisions).filter(({ gates }) => !gates.includes("no_data"));
    const curves = informed.length ? [this.losses(informed), this.remaining(informed)] : [];
    return [...curves, this.revisions(revisions)];
  }

  /** Who got what, by date; a mark above a date says that it was revised. */
  shares(revisions) {
    const lasting = lastOfEachDate(revisions);
    const ids = this.ids.filter((id) => lasting.some(({ allocations }) => id in allocations));
    const drawn = [...lasting, { ...lasting.at(-1), date: daysBefore(lasting.at(-1).date, -1) }]; // a share lasts its whole day
    const values = drawn.flatMap(({ date, allocations }) => [
      ...ids.map((id) => ({ date: at(date), variant: this.name(id), place: this.ids.indexOf(id), share: allocations[id] ?? 0 })),
      ...(this.some ? [{ date: at(date), variant: OTHERS, place: ids.length, share: 100 - ids.reduce((sum, id) => sum + (allocations[id] ?? 0), 0) }] : []),
    ]);
    const x = dateAxis(drawn.map(({ date }) => date));
    const revised = Map.groupBy(revisions, ({ date }) => date);
    const marks = [...revised].filter(([, some]) => some.length > 1).map(([date, some]) => ({ date: at(date), revisions: some.length }));
    const latest = lasting.at(-1);
    return h("div", { class: "wide" }, chart(
      "Shares of traffic by date",
      {
        layer: [
          {
            data: { values },
            mark: { type: "area", interpolate: "step-after", opacity: 0.85, tooltip: true },
            encoding: {
              x,
              y: { field: "share", type: "quantitative", title: "percent of traffic", stack: true, scale: { domain: [0, 100] } },
              color: this.stacked,
              order: { field: "place" },
              tooltip: [{ field: "variant" }, { field: "share", format: ".2f", title: "percent" }, { field: "date", type: "temporal", format: "%Y-%m-%d" }],
            },
          },
          marks.length && {
            data: { values: marks },
            mark: { type: "point", shape: "triangle-down", filled: true, size: 80, yOffset: -6, tooltip: true, color: "gray" },
            encoding: {
              x,
              y: { datum: 100 },
              tooltip: [{ field: "revisions", title: "revisions of the day" }, { field: "date", type: "temporal", format: "%Y-%m-%d" }],
            },
          },
        ].filter(Boolean),
      },
      {
        summary: `${plural(lasting.length, "date")}, ${plural(revisions.length, "recorded revision")}; on ${day(latest.date)}: ${ids.map((id) => `${this.name(id)} ${share(latest.allocations[id])}`).join(", ")}. A mark above a date says that it was revised.${this.note}`,
        signal: this.signal,
        figures: {
          columns: [
            { title: "Date", of: ({ date }) => day(date) },
            ...ids.map((id) => ({ title: this.name(id), figure: true, of: ({ allocations }) => share(allocations[id]) })),
          ],
          rows: [...lasting].reverse(),
        },
      },
    ));
  }

  losses(lasting) {
    const { currency } = this.experiment;
    const written = currency ? (loss) => perImpression(loss, currency) : rate;
    return this.lines("Expected loss of keeping each variant", "expected_loss", lasting, {
      axis: currency ? { title: `${currency} per impression` } : { title: "of the rate", axis: { format: ".2%" } },
      written,
      note: "How much lower than the best one a variant is expected to be.",
    });
  }

  remaining(lasting) {
    const known = lasting.filter(({ value_remaining }) => value_remaining !== null);
    if (!known.length) return null;
    return chart(
      "Value remaining",
      {
        data: { values: known.map(({ date, value_remaining }) => ({ date: at(date), value: value_remaining })) },
        mark: { type: "line", point: known.length < 40, strokeWidth: 2 },
        encoding: { x: dateAxis(known.map(({ date }) => date)), y: { field: "value", type: "quantitative", title: "of the leader's rate", axis: { format: ".1%" } } },
      },
      {
        summary: `By how much another variant may still beat the leader, with 95 % probability; last ${percent(known.at(-1).value_remaining)}.`,
        signal: this.signal,
        figures: {
          columns: [
            { title: "Date", of: ({ date }) => day(date) },
            { title: "Value remaining", figure: true, of: ({ value_remaining }) => percent(value_remaining) },
          ],
          rows: [...known].reverse(),
        },
      },
    );
  }

  /** A line per variant of a figure that every answer has. */
  lines(title, field, lasting, { axis, written, note }) {
    const ids = this.ids.filter((id) => lasting.some((answer) => typeof answer[field][id] === "number"));
    const values = lasting.flatMap((answer) =>
      ids.filter((id) => typeof answer[field][id] === "number").map((id) => ({ date: at(answer.date), variant: this.name(id), value: answer[field][id] })),
    );
    return chart(
      title,
      {
        data: { values },
        mark: { type: "line", strokeWidth: 2, point: lasting.length < 3, tooltip: true },
        encoding: { x: dateAxis(lasting.map(({ date }) => date)), y: { field: "value", type: "quantitative", ...axis }, color: this.colour },
      },
      {
        summary: note + this.note,
        signal: this.signal,
        figures: {
          columns: [
            { title: "Date", of: ({ date }) => day(date) },
            ...ids.map((id) => ({ title: this.name(id), figure: true, of: (answer) => written(answer[field][id]) })),
          ],
          rows: [...lasting].reverse(),
        },
      },
    );
  }

  /** Every recorded revision, and all of it as CSV. */
  revisions(revisions) {
    const { experiment_id } = this.experiment;
    const header = ["date", "sequence", "revision", "recorded_at", "gates", ...this.every.map((id) => `share_${id}`), ...this.every.map((id) => `p_best_${id}`), "value_remaining"];
    const rows = () =>
      revisions.map((one) => [
        one.date, one.sequence, one.revision, one.recorded_at, one.gates.join(" "),
        ...this.every.map((id) => one.allocations[id]), ...this.every.map((id) => one.p_best[id]), one.value_remaining,
      ]);
    return h(
      "section",
      { class: "panel wide", "aria-labelledby": "revisions" },
      h("div", { class: "panel-head" }, h("h3", { id: "revisions" }, "Every recorded answer"), csvButton("Download as CSV", `${experiment_id}-history.csv`, () => [header, rows()])),
      table(
        "Recorded revisions, the newest first",
        [
          { title: "Date", of: ({ date }) => day(date) },
          { title: "No.", figure: true, of: ({ sequence }) => sequence },
          { title: "Revision", of: ({ revision }) => h("code", {}, revision) },
          { title: "Recorded", of: ({ recorded_at }) => moment(recorded_at) },
          ...this.ids.map((id) => ({ title: this.name(id), figure: true, of: ({ allocations }) => share(allocations[id]) })),
          { title: "Gates", of: ({ gates }) => gates.map(gateName).join(", ") || "none" },
        ],
        revisions,
      ),
    );
  }

  /** What was reported: rates by day with their intervals, and sums so far. */
  totals(totals) {
    const drawn = new Set(this.ids);
    return [this.rates(dailyRates(totals.filter(({ variant_id }) => drawn.has(variant_id)))), this.sums(cumulative(totals))];
  }

  rates(rates) {
    const values = rates.map((one) => ({ ...one, date: at(one.date), variant: this.name(one.variant_id) }));
    const y = { type: "quantitative", title: "successes per impression", axis: { format: ".1%" }, scale: { zero: false } };
    return chart(
      "Rate of each day",
      {
        data: { values },
        encoding: { x: dateAxis(rates.map(({ date }) => date)), color: this.colour },
        layer: [
          { mark: { type: "area", opacity: 0.13 }, encoding: { y: { ...y, field: "low" }, y2: { field: "high" } } },
          { mark: { type: "line", strokeWidth: 1.8, point: rates.length < 3, tooltip: true }, encoding: { y: { ...y, field: "rate" } } },
        ],
      },
      {
        summary: "Successes per impression of each day, with the 95 % interval (Wilson) of that day alone." + this.note,
        signal: this.signal,
        figures: {
          columns: [
            { title: "Date", of: ({ date }) => day(date) },
            { title: "Variant", of: ({ variant_id }) => this.name(variant_id) },
            { title: "Rate", figure: true, of: (one) => rate(one.rate) },
            { title: "95 % interval", of: ({ low, high }) => intervalText([low, high]) },
          ],
          rows: [...rates].reverse(),
        },
      },
    );
  }

  sums(sums) {
    const drawn = new Set(this.ids);
    const [own, rest] = [sums.filter(({ variant_id: id }) => drawn.has(id)), sums.filter(({ variant_id: id }) => !drawn.has(id))];
    const others = [...Map.groupBy(rest, ({ date }) => date)].map(([date, some]) => ({ date, variant: OTHERS, ...summed(some) }));
    const rows = [...own.map((one) => ({ ...one, variant: this.name(one.variant_id) })), ...others];
    const values = rows.map((one) => ({ ...one, date: at(one.date) }));
    return chart(
      "Successes so far",
      {
        data: { values },
        mark: { type: "area", opacity: 0.8 },
        encoding: { x: dateAxis(sums.map(({ date }) => date)), y: { field: "successes", type: "quantitative", title: "successes since the first day shown", stack: true }, color: this.stacked },
      },
      {
        summary: "Impressions and successes added up since the first day shown.",
        signal: this.signal,
        figures: {
          columns: [
            { title: "Date", of: ({ date }) => day(date) },
            { title: "Variant", of: ({ variant }) => variant },
            { title: "Impressions", figure: true, of: ({ impressions }) => count(impressions) },
            { title: "Successes", figure: true, of: ({ successes }) => count(successes) },
          ],
          rows: rows.toSorted((a, b) => b.date.localeCompare(a.date)),
        },
      },
    );
  }
}

const summed = (some) => ({
  impressions: some.reduce((sum, { impressions }) => sum + impressions, 0),
  successes: some.reduce((sum, { successes }) => sum + successes, 0),
});
