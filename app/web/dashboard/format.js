/** Numbers, money and dates in the reader's locale. */

const formats = new Map();

function number(options) {
  const name = JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Intl.NumberFormat(undefined, options));
  return formats.get(name);
}

/** What stands for a missing value. */
export const NONE = "–";
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
const formatted = (options) => (value) => (known(value) ? number(options).format(value) : NONE);

/** A count: 12,345. */
export const count = formatted({ maximumFractionDigits: 1 });

/** A count with its sign: +1,234. */
export const signedCount = (value) => formatted({ maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0, signDisplay: "exceptZero" })(value);

/** A fraction as percent: 0.0249 is 2.49 %. */
export const percent = (fraction, digits = 2) => formatted({ style: "percent", maximumFractionDigits: digits })(fraction);

/** A share in percent, as the API has it: 2.4932 is 2.49 %. */
export const share = (value) =>
  known(value) ? number({ style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value / 100) : NONE;

/** A fraction as percent with its sign. */
export const signedPercent = formatted({ style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });

/** A probability; one that is only rounded to 0 % or 100 % is shown as a bound. */
export function probability(p) {
  if (p > 0.9995 && p < 1) return `>${percent(0.999, 1)}`;
  if (p > 0 && p < 0.0005) return `<${percent(0.001, 1)}`;
  return percent(p, 1);
}

/** A difference of two rates in percentage points, with its sign: +1.84. */
export const points = (fraction) => formatted({ maximumSignificantDigits: 3, signDisplay: "exceptZero" })(known(fraction) ? 100 * fraction : null);

/** A conversion rate, with enough digits to distinguish rates: 12.08 %, 0.0312 %. */
export const rate = formatted({ style: "percent", maximumSignificantDigits: 4 });

/** A number with three significant digits: 0.00014. */
export const decimal = formatted({ maximumSignificantDigits: 3 });

/** An amount of money in a currency. */
export const money = (amount, currency, signed = false) =>
  formatted({ style: "currency", currency, signDisplay: signed ? "exceptZero" : "auto", maximumFractionDigits: Math.abs(amount) >= 1000 ? 0 : 2 })(amount);

/** An amount per impression, which may be far less than the smallest coin: 0.00312. */
export const perImpression = (amount, currency, signed = false) =>
  !known(amount) || Math.abs(amount) >= 100 || amount === 0
    ? money(amount, currency, signed)
    : number({ style: "currency", currency, signDisplay: signed ? "exceptZero" : "auto", minimumSignificantDigits: 3, maximumSignificantDigits: 3 }).format(amount);

/** A calendar date of the API, "2026-03-10", which has no time zone. */
export const day = (text) => {
  if (!text) return NONE;
  return text.includes("T") ? timestamp(text) : dates.format(new Date(`${text}T00:00:00Z`));
};
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** A timestamp of the API, in the reader's time zone. */
export const timestamp = (text) => (text ? times.format(new Date(text)) : NONE);
const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Today's date in a time zone, as the API writes it. */
export function todayIn(timeZone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date());
  return ["year", "month", "day"].map((type) => parts.find((part) => part.type === type).value).join("-");
}

/** A date relative to another one: "yesterday", "12 days ago". */
export const daysAgo = (from, today) => (from.includes("T") ? timestamp(from) : relative.format(-daysBetween(from, today), "day"));
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** The number of days between two dates. */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

/** The date a number of days before another one. */
export const daysBefore = (text, days) => new Date(Date.parse(text) - days * 86_400_000).toISOString().slice(0, 10);

/** "3 days", "1 day". */
export const plural = (value, singular, many = `${singular}s`) => `${count(value)} ${value === 1 ? singular : many}`;
