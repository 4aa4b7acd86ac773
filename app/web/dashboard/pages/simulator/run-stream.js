/** A run of the simulator: start it, follow its server-sent events, cancel it. */

import { get, open, post, remove } from "../../api.js";

const FINISHED = new Set(["done", "failed", "cancelled"]);
const RECONNECT_AFTER = 500; // milliseconds, if a stream ends before the run does

/** Start a run; the response may have its result already. With `live` it is returned at once, to be followed. */
export const start = (scenario, body, { live, signal }) =>
  post(`/simulations/${scenario}`, body, { signal, headers: live ? { Prefer: "respond-async" } : {} });

/** Cancel a run; one that has finished in the meantime stays as it is. */
export const cancel = (id) => remove(`/simulations/${id}`).catch((error) => error.status === 409 || Promise.reject(error));

/**
 * Follow a run until it has finished, and return it with its result. A lost connection is opened again.
 *
 * @param {(state: string, data: {done: number, total: number, standing?: object}) => void} onEvent
 */
export async function follow(run, onEvent, signal) {
  if (!FINISHED.has(run.state)) onEvent(run.state, run.progress);
  while (!FINISHED.has(run.state)) {
    try {
      const { body } = await open(`/simulations/${run.id}/events`, { signal });
      for await (const { name, data } of events(body)) onEvent((run.state = name), data);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a broken connection is a TypeError
    }
    if (!FINISHED.has(run.state)) await new Promise((resolve) => setTimeout(resolve, RECONNECT_AFTER));
    signal.throwIfAborted();
  }
  return "policies" in run ? run : get(`/simulations/${run.id}`, { signal });
}

/** The events of a stream: their names and data. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      const lines = new Map(event.split("\n").map((line) => line.split(/: (.*)/s, 2)));
      if (lines.has("data")) yield { name: lines.get("event"), data: JSON.parse(lines.get("data")) }; // others keep the connection alive
    }
  }
}
