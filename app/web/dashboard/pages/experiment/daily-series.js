/** Daily totals and recorded allocations as the series of a chart. */

import { daysBefore, daysBetween } from "../../format.js";

const Z = 1.959963984540054; // the Normal quantile of a 95 % interval

/** The last revision of each date, the first date first. */
export function lastOfEachDate(revisions) {
  const last = new Map();
  for (const one of revisions) {
    if (!last.has(one.date) || last.get(one.date).sequence < one.sequence) last.set(one.date, one);
  }
  return [...last.values()].sort((a, b) => a.date.localeCompare(b.date));
}

/** Each day's rate with its Wilson interval; days without impressions have none. `matured` returns what has come of a day's conversions. */
export const dailyRates = (totals, matured) =>
  totals
    .filter(({ impressions }) => impressions > 0)
    .map((total) => ({ date: total.date, variant_id: total.variant_id, rate: total.successes / total.impressions, ...wilson(total.successes, total.impressions), matured: matured(total) }));

/**
 * A function from a stored daily total to the fraction of its conversions that has come, by GET /experiments/{id}/delay.
 *
 * A total says itself through which day its conversions are known, one of an older version by when it was sent; tracked
 * ones are known through the day before the report's.
 */
export function maturity(report, source) {
  const knownThrough = ({ date, as_of: asOf, updated_at: sent }) => {
    if (source === "tracked") return daysBefore(report.date, 1);
    const dayBefore = sent ? daysBefore(sent.slice(0, 10), 1) : date;
    return asOf ?? (dayBefore > date ? dayBefore : date);
  };
  return (total) => {
    const curve = (report.differs && report.variants[total.variant_id]?.curve) || report.curve;
    const age = daysBetween(total.date, knownThrough(total));
    return age < 0 && curve.length > 1 ? 0 : curve[Math.min(Math.max(age, 0), curve.length - 1)];
  };
}

/** The points of a line (the first date first) as runs that are drawn alike: a step to or from a pale point is pale. */
export function paleRuns(points) {
  let run = 0;
  return points.flatMap((point, i) => {
    const before = points[i - 1];
    if (!before || before.pale === point.pale) return [{ ...point, run }];
    if (point.pale) return [{ ...before, pale: true, run: ++run }, { ...point, run }];
    return [{ ...point, pale: true, run }, { ...point, run: ++run }];
  });
}

/** Wilson's interval of a rate; with late conversions, successes are capped at the impressions. */
function wilson(successes, n) {
  const p = Math.min(successes / n, 1);
  const middle = (p + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const reach = (Z / (1 + (Z * Z) / n)) * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
  return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}

/** The cumulative sums of each variant on each day with data. */
export function cumulative(totals) {
  const byDate = Map.groupBy(totals, ({ date }) => date);
  const sums = new Map();
  return [...byDate.keys()].sort().flatMap((date) => {
    for (const { variant_id, impressions, successes } of byDate.get(date)) {
      const before = sums.get(variant_id) ?? { impressions: 0, successes: 0 };
      sums.set(variant_id, { impressions: before.impressions + impressions, successes: before.successes + successes });
    }
    return [...sums].map(([variant_id, sum]) => ({ date, variant_id, ...sum }));
  });
}
