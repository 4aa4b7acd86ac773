// A page of a shop with OpenFeature's web SDK, for tests/browser/test_web_sdk.py; it has no other key than the one given.

import { OpenFeature } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

// What the tracing of a page adds to its requests.
const tracing = [
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['tracestate', 'vendor=1'],
  ['baggage', 'release=1'],
  ['sentry-trace', '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1'],
  ['X-Request-ID', 'page-1'],
];

window.shop = {
  async evaluate(baseUrl, key, targetingKey, flags) {
    const headers = [['X-API-Key', key], ...tracing];
    await OpenFeature.setContext({ targetingKey });
    await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, headers, cacheMode: 'disabled' }));
    const client = OpenFeature.getClient();
    return Object.fromEntries(flags.map((flag) => [flag, client.getStringDetails(flag, 'default')]));
  },

  beaconWhenLeaving(baseUrl, key, event) {
    addEventListener('pagehide', () => {
      navigator.sendBeacon(`${baseUrl}/events?key=${key}`, JSON.stringify([event]));
    });
  },

  async record(baseUrl, key, event) {
    const headers = { 'X-API-Key': key, 'Content-Type': 'application/json', ...Object.fromEntries(tracing) };
    const answer = await fetch(`${baseUrl}/events`, {
      method: 'POST', headers, body: JSON.stringify([event]), keepalive: true,
    });
    return [answer.status, await answer.json()];
  },
};
