/** Responses that were requested before the page needed them; prefetch.js adds them, api.js takes them. */

const FRESH = 10_000; // milliseconds: a response that was not taken by then is requested again

const responses = new Map();
setTimeout(() => responses.clear(), FRESH);

/** Store the promise of a response. */
export function addPrefetched(url, response) {
  response.catch(() => null); // a failure is handled by the code that takes the response
  responses.set(url, response);
}

/** Return the promise of a prefetched response, once; undefined if there is none. */
export function takePrefetched(url) {
  const response = responses.get(url);
  responses.delete(url);
  return response;
}
