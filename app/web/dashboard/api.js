/**
 * The service, over its public JSON API: answers as objects, refusals as `Problem`.
 *
 * A request whose answer does not come is sent again until it does: reads change nothing, changes are the same when
 * repeated, and every POST carries an Idempotency-Key. Meanwhile `connection` says what is the matter.
 */

import { askForKey } from "./components/key.js";
import { taken } from "./early.js";

const WAITS = [1, 2, 4, 8, 15]; // seconds; the last one for ever
const LATER = new Set([429, 503]); // what a service says that may answer the same request after a while

/** A refusal of the service (RFC 9457): what is wrong, and with which fields. */
export class Problem extends Error {
  constructor(body, status) {
    super(body.detail ?? body.title ?? `The service answered ${status}.`);
    this.status = body.status ?? status;
    this.fields = body.errors ?? [];
  }
}

/** How one stands with the service: `lost` is a sentence while it does not answer, else null; `keyed` once it has a key. */
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

let key = null; // in memory only: gone with the page
let dismissed = 0; // how often somebody had none to give

/** Return the answer to a GET. */
export const get = (path, { query, signal } = {}) => request("GET", path, { query, signal });

/** Return the answer to a GET with its headers: `{body, headers}`. */
export const getWhole = (path, { query, signal } = {}) => requestWhole("GET", path, { query, signal });

/** Return the answer to a GET as it begins: a Response, whose body comes bit by bit. */
export async function open(path, { signal } = {}) {
  const answer = await admitted(path, { method: "GET", signal });
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** Send JSON, carried out once however often it has to be sent. */
export const post = (path, body, { signal, headers = {} } = {}) =>
  request("POST", path, { ...json(body, headers), signal });

/** Change by merge-patch; `etag` refuses it if somebody else was faster. */
export const patch = (path, body, { etag, signal } = {}) =>
  request("PATCH", path, { ...json(body, etag ? { "If-Match": etag } : {}), signal });

/** Delete. */
export const remove = (path, { signal } = {}) => request("DELETE", path, { signal });

/** Send a text of another kind, a CSV for example; a File is read while it is sent. */
export const postText = (path, text, type, { query, signal } = {}) =>
  request("POST", path, { query, body: text, headers: { "Content-Type": type }, signal });

/** Return every item of a list that comes in pages, up to `most`. */
export async function getAll(path, { query = {}, signal, most = 10_000, enough = () => false } = {}) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(path, { query: { limit: 1000, ...query, cursor }, signal });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most && !enough(items));
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
  const own = method === "POST" ? { "Idempotency-Key": newKey(), ...headers } : headers;
  return read(await admitted(path + queryText(query), { method, body, headers: own, signal }));
}

/** Ask for another key, to go on with from now on; dismissed, the present one stays. */
export async function changeKey() {
  take(await askForKey(null));
}

function take(given) {
  if (given === null) return;
  key = given;
  connection.set({ keyed: true });
}

/** Return the service's answer, after it has the key that it may ask for. */
async function admitted(url, options) {
  for (;;) {
    const used = key;
    const before = dismissed;
    const answer = await answered(url, options);
    if (answer.status !== 401) return answer;
    const refusal = await problemOf(answer);
    if (key !== used) continue; // another request was given a key while this one was on its way
    if (dismissed !== before) throw refusal; // or there was none: nobody is asked twice
    const given = await askForKey(used === null ? null : refusal);
    if (given === null) {
      dismissed++;
      throw refusal;
    }
    take(given);
  }
}

/** Return the service's answer, however long it takes to come. */
async function answered(url, options) {
  for (let attempt = 0; ; attempt++) {
    let lost = "The service cannot be reached; trying again…";
    let wait = WAITS[Math.min(attempt, WAITS.length - 1)];
    try {
      const early = options.method === "GET" && key === null ? taken(url) : undefined;
      const answer = await (early ?? fetch(url, { ...options, headers: withKey(options.headers), cache: "no-cache" }));
      if (!LATER.has(answer.status)) {
        connection.set({ lost: null });
        return answer;
      }
      lost = `The service cannot answer now (${(await problemOf(answer)).message}); trying again…`;
      wait = Number(answer.headers.get("Retry-After")) || wait;
    } catch (error) {
      if (error.name === "AbortError") throw error;
    }
    connection.set({ lost });
    await pause(wait, options.signal);
  }
}

const withKey = (headers) => (key === null ? headers : { ...headers, Authorization: `Bearer ${key}` });

async function read(answer) {
  if (!answer.ok) throw await problemOf(answer);
  if (answer.status === 204) return { body: null, headers: answer.headers };
  const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
  return { body: isJson ? await answer.json() : await answer.text(), headers: answer.headers };
}

async function problemOf(answer) {
  let body = {};
  try {
    body = await answer.json();
  } catch {
    // a gateway's page: its status says enough
  }
  return new Problem(body, answer.status);
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => reject(new DOMException("left", "AbortError"));
    if (signal?.aborted) return end();
    const timer = setTimeout(() => (signal?.removeEventListener("abort", end), resolve()), seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), end()), { once: true });
    addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function queryText(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** A text nobody else has; crypto.randomUUID is missing on pages without TLS. */
const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
