// Evaluate flags with OpenFeature's web SDK and its OFREP provider; say what came of it as JSON.
//
// node evaluate.js <base url> <targeting key> <flag>:<type> ...
//
// The second half evaluates again after a refresh: nothing has changed, so the provider must be answered 304.

import { OpenFeature } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

const [baseUrl, targetingKey, ...asked] = process.argv.slice(2);
const statuses = [];

async function fetchAndNote(...request) {
  const answer = await fetch(...request);
  statuses.push(answer.status);
  return answer;
}

const ways = {
  boolean: (client, key) => client.getBooleanDetails(key, false),
  number: (client, key) => client.getNumberDetails(key, -1),
  string: (client, key) => client.getStringDetails(key, 'default'),
  object: (client, key) => client.getObjectDetails(key, {}),
};

const provider = new OFREPWebProvider({ baseUrl, cacheMode: 'disabled', fetchImplementation: fetchAndNote });
await OpenFeature.setContext({ targetingKey, country: 'AT' });
await OpenFeature.setProviderAndWait(provider);
await OpenFeature.setContext({ targetingKey, country: 'AT' });
const client = OpenFeature.getClient();
const flags = Object.fromEntries(
  asked.map((one) => one.split(':')).map(([key, type]) => [key, ways[type](client, key)]),
);
console.log(JSON.stringify({ statuses, flags }));
await OpenFeature.close();
