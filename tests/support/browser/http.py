"""HTTP requests with a timeout that is enough on a busy machine."""

from functools import partial

import httpx2

TIMEOUT = 60  # seconds

get = partial(httpx2.get, timeout=TIMEOUT)
post = partial(httpx2.post, timeout=TIMEOUT)
patch = partial(httpx2.patch, timeout=TIMEOUT)
Client = partial(httpx2.Client, timeout=TIMEOUT)
