/**
 * Requests what the first page needs while its modules are still loading.
 *
 * Without it the first request would be sent after the last module has loaded. routes.js lists what each page needs.
 */

import { currentAddress, matchRoute } from "./addresses.js";
import { addPrefetched } from "./prefetched.js";
import { ROUTES } from "./routes.js";

const found = matchRoute(ROUTES, currentAddress()[0]);
for (const url of found?.route.prefetch?.(found.params) ?? []) addPrefetched(url, fetch(url, { cache: "no-cache" }));
