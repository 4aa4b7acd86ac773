/**
 * A client of the service's public JSON API: responses as objects, errors as `Problem`.
 *
 * A request without a response is sent again until there is one: reads change nothing, writes have the same effect when
 * repeated, and every POST carries an Idempotency-Key. Meanwhile `connection.lost` describes the problem.
 */

import { takePrefetched } from "./prefetched.js";

const WAITS = [1, 2, 4, 8, 15]; // seconds between attempts; the last one repeats
const RETRYABLE = new Set([429, 503]);

/** An error response of the service (RFC 9457): what is wrong, and with which fields. */
class Problem extends Error {
  constructor(body, status) {
    super(body.detail ?? body.title ?? `The service responded with ${status}.`);
    this.status = body.status ?? status;
    this.fields = body.errors ?? [];
  }
}

/** The connection to the service: `lost` is a sentence while it does not respond, else null; `keyed` once there is a key. */
class Connection extends EventTarget {
  lost = null;
  keyed = false;

  set(changed) {
    if (Object.entries(changed).every(([name, value]) => this[name] === value)) return;
    Object.assign(this, changed);
    this.dispatchEvent(new Event("change"));
  }
}

export const connection = new Connection();

let key = null; // in memory only, until the page is closed
let dismissals = 0; // of the dialog that asks for a key
let askForKey = async () => null;

/** Set the function that asks the reader for an API key: given the error of the last key or null, it returns one or null. */
export const setKeyPrompt = (prompt) => (askForKey = prompt);

/** Return the body of a GET. */
export const get = (path, { query, signal } = {}) => request("GET", path, { query, signal });

/** Return the response to a GET with its headers: `{body, headers}`. */
export const getWhole = (path, { query, signal } = {}) => requestWhole("GET", path, { query, signal });

/** Return the Response to a GET as soon as it begins, with its body as a stream. */
export async function open(path, { signal } = {}) {
  const response = await authorized(path, { method: "GET", signal });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Send JSON; it takes effect once, however often it has to be sent. */
export const post = (path, body, { signal, headers = {} } = {}) =>
  request("POST", path, { ...json(body, headers), signal });

/** Change by merge-patch; with `etag` it fails if the resource has changed since it was read. */
export const patch = (path, body, { etag, signal } = {}) =>
  request("PATCH", path, { ...json(body, etag ? { "If-Match": etag } : {}), signal });

/** Delete. */
export const remove = (path, { query, signal } = {}) => request("DELETE", path, { query, signal });

/** Send text of another type, such as CSV; a File is read while it is sent. */
export const postText = (path, text, type, { query, signal } = {}) =>
  request("POST", path, { query, body: text, headers: { "Content-Type": type }, signal });

/** Return the items of all pages of a list, until there are `max` or `enough(items)`. */
export async function getAll(path, { query = {}, signal, max = 10_000, enough = () => false } = {}) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(path, { query: { limit: 1000, ...query, cursor }, signal });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < max && !enough(items));
  return items;
}

const json = (body, headers) => ({
  body: JSON.stringify(body),
  headers: { "Content-Type": "application/json", ...headers },
});

async function request(method, path, options) {
  return (await requestWhole(method, path, options)).body;
}

async function requestWhole(method, path, { query, body, headers = {}, signal } = {}) {
  const all = method === "POST" ? { "Idempotency-Key": randomKey(), ...headers } : headers;
  return read(await authorized(path + queryText(query), { method, body, headers: all, signal }));
}

/** Ask for another API key and use it from now on; if the dialog is dismissed, the present one stays. */
export async function changeKey() {
  use(await askForKey(null));
}

function use(given) {
  if (given === null) return;
  key = given;
  connection.set({ keyed: true });
}

/** Return the response, after asking for an API key if the service requires one. */
async function authorized(url, options) {
  for (;;) {
    const used = key;
    const before = dismissals;
    const response = await delivered(url, options);
    if (response.status !== 401) return response;
    const problem = await problemOf(response);
    if (key !== used) continue; // another request was given a key in the meantime
    if (dismissals !== before) throw problem; // the dialog was dismissed in the meantime: do not ask twice
    const given = await askForKey(used === null ? null : problem);
    if (given === null) {
      dismissals++;
      throw problem;
    }
    use(given);
  }
}

/** Return the response, sending the request again until there is one. */
async function delivered(url, options) {
  for (let attempt = 0; ; attempt++) {
    let lost = "The service cannot be reached; trying again…";
    let wait = WAITS[Math.min(attempt, WAITS.length - 1)];
    try {
      const prefetched = options.method === "GET" && key === null ? takePrefetched(url) : undefined;
      const response = await (prefetched ?? fetch(url, { ...options, headers: withKey(options.headers), cache: "no-cache" }));
      if (!RETRYABLE.has(response.status)) {
        connection.set({ lost: null });
        return response;
      }
      lost = `The service cannot respond now (${(await problemOf(response)).message}); trying again…`;
      wait = Number(response.headers.get("Retry-After")) || wait;
    } catch (error) {
      if (error.name === "AbortError") throw error;
    }
    connection.set({ lost });
    await pause(wait, options.signal);
  }
}

const withKey = (headers) => (key === null ? headers : { ...headers, Authorization: `Bearer ${key}` });

async function read(response) {
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return { body: null, headers: response.headers };
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  return { body: isJson ? await response.json() : await response.text(), headers: response.headers };
}

async function problemOf(response) {
  let body = {};
  try {
    body = await response.json();
  } catch {
    // not JSON, such as a gateway's page: the status has to do
  }
  return new Problem(body, response.status);
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException("the page was left", "AbortError"));
    if (signal?.aborted) return abort();
    const timer = setTimeout(() => (signal?.removeEventListener("abort", abort), resolve()), seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), abort()), { once: true });
    addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function queryText(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** A random idempotency key; crypto.randomUUID is missing on pages without TLS. */
const randomKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
