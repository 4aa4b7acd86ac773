/** Figures as the reader's language writes them. */

const numbers = new Map();

function number(options) {
  const name = JSON.stringify(options);
  if (!numbers.has(name)) numbers.set(name, new Intl.NumberFormat(undefined, options));
  return numbers.get(name);
}

const NOTHING = "–";
const known = (figure) => figure !== null && figure !== undefined && Number.isFinite(figure);

/** A count: 12,345. */
export const count = (figure) => (known(figure) ? number({ maximumFractionDigits: 1 }).format(figure) : NOTHING);

/** A count with its sign: +1,234. */
export const signedCount = (figure) =>
  known(figure) ? number({ maximumFractionDigits: Math.abs(figure) < 100 ? 1 : 0, signDisplay: "exceptZero" }).format(figure) : NOTHING;

/** A fraction as percent: 0.0249 is 2.49 %. */
export const percent = (fraction, digits = 2) =>
  known(fraction) ? number({ style: "percent", maximumFractionDigits: digits }).format(fraction) : NOTHING;

/** A share as the API speaks it, in percent already: 2.4932 is 2.49 %. */
export const share = (figure) =>
  known(figure) ? number({ style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(figure / 100) : NOTHING;

/** A fraction as percent with its sign. */
export const signedPercent = (fraction, digits = 1) =>
  known(fraction)
    ? number({ style: "percent", maximumFractionDigits: digits, signDisplay: "exceptZero" }).format(fraction)
    : NOTHING;

/** A probability; what only rounds to certain or impossible is not said to be. */
export function probability(p) {
  if (p > 0.9995 && p < 1) return `>${percent(0.999, 1)}`;
  if (p > 0 && p < 0.0005) return `<${percent(0.001, 1)}`;
  return percent(p, 1);
}

/** A difference of two rates in percentage points, with its sign: +1.84. */
export const points = (fraction) => (known(fraction) ? number({ maximumSignificantDigits: 3, signDisplay: "exceptZero" }).format(100 * fraction) : NOTHING);

/** A conversion rate, with as many digits as tell rates apart: 12.08 %, 0.0312 %. */
export const rate = (fraction) =>
  known(fraction) ? number({ style: "percent", maximumSignificantDigits: 4 }).format(fraction) : NOTHING;

/** A small figure: 0.00014. */
export const figure = (value) => (known(value) ? number({ maximumSignificantDigits: 3 }).format(value) : NOTHING);

/** An amount of money in a currency. */
export const money = (amount, currency, signed = false) =>
  known(amount)
    ? number({ style: "currency", currency, signDisplay: signed ? "exceptZero" : "auto", maximumFractionDigits: Math.abs(amount) >= 1000 ? 0 : 2 }).format(amount)
    : NOTHING;

/** An amount per impression, which may be far less than the smallest coin: 0.00312. */
export const perImpression = (amount, currency, signed = false) =>
  !known(amount) || Math.abs(amount) >= 100 || amount === 0
    ? money(amount, currency, signed)
    : number({ style: "currency", currency, signDisplay: signed ? "exceptZero" : "auto", minimumSignificantDigits: 3, maximumSignificantDigits: 3 }).format(amount);

/** A calendar day of the API, "2026-03-10", which has no time zone. */
export const day = (text) => (text ? days.format(new Date(`${text}T00:00:00Z`)) : NOTHING);
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** A moment of the API, in the reader's own time zone. */
export const moment = (text) => (text ? moments.format(new Date(text)) : NOTHING);
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** The day it is in a time zone, as the API writes it. */
export function todayIn(timeZone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date());
  return ["year", "month", "day"].map((type) => parts.find((part) => part.type === type).value).join("-");
}

/** How long a day of the API is ago, seen from another: "yesterday", "12 days ago". */
export const daysAgo = (from, today) => relative.format(-daysBetween(from, today), "day");
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** How many days lie between two days of the API. */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

/** The day so many days before another. */
export const daysBefore = (text, number) =>
  new Date(Date.parse(text) - number * 86_400_000).toISOString().slice(0, 10);

/** "3 days", "1 day". */
export const plural = (figure, word, many = `${word}s`) => `${count(figure)} ${figure === 1 ? word : many}`;
