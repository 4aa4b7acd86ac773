/** A run of the simulator on its way: started, followed by server-sent events, cancelled. */

import { get, open, post, remove } from "../../api.js";

const OVER = new Set(["done", "failed", "cancelled"]);
const AGAIN_AFTER = 500; // milliseconds, where a stream ends before the run does

/** Ask for a run; the answer may have its result already. `live` is answered at once, to be followed. */
export const start = (scenario, body, { live, signal }) =>
  post(`/simulations/${scenario}`, body, { signal, headers: live ? { Prefer: "respond-async" } : {} });

/** Cancel a run; one that is over meanwhile stays as it is. */
export const cancel = (id) => remove(`/simulations/${id}`).catch((error) => error.status === 409 || Promise.reject(error));

/**
 * Follow a run until it is over, and return it with its result. A connection that is lost is taken up again.
 *
 * @param {(state: string, told: {done: number, total: number, standing?: object}) => void} told - called with every event
 */
export async function followed(run, told, signal) {
  if (!OVER.has(run.state)) told(run.state, run.progress);
  while (!OVER.has(run.state)) {
    try {
      const { body } = await open(`/simulations/${run.id}/events`, { signal });
      for await (const { name, data } of events(body)) told((run.state = name), data);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // what a broken connection is
    }
    if (!OVER.has(run.state)) await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER));
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
