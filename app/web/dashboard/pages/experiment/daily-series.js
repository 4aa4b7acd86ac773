/** Daily totals and recorded allocations as the series of a chart. */

const Z = 1.959963984540054; // the Normal quantile of a 95 % interval

/** The last revision of each date, the first date first. */
export function lastOfEachDate(revisions) {
  const last = new Map();
  for (const one of revisions) {
    if (!last.has(one.date) || last.get(one.date).sequence < one.sequence) last.set(one.date, one);
  }
  return [...last.values()].sort((a, b) => a.date.localeCompare(b.date));
}

/** Each day's rate with its Wilson interval; days without impressions have none. */
export const dailyRates = (totals) =>
  totals
    .filter(({ impressions }) => impressions > 0)
    .map(({ date, variant_id, impressions, successes }) => ({ date, variant_id, rate: successes / impressions, ...wilson(successes, impressions) }));

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
