"""Read a request's JSON, but no document that costs seconds to refuse: its faults would be found one by one."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_JSON_MEMBERS = 100_000
"""Names with values in all objects of a document; the largest that is taken, 5,000 events, has half as many."""


class LimitedJsonRequest(Request):
    """A request whose JSON has an end to its members."""

    async def json(self) -> Any:
        """Return the JSON of the body; 413 where it has too many members."""
        body = await self.body()
        if body.count(b":") <= MAX_JSON_MEMBERS:  # a member has one at least
            return json.loads(body)
        members = 0

        def count(read: dict[str, Any]) -> dict[str, Any]:
            nonlocal members
            members += len(read)
            if members > MAX_JSON_MEMBERS:
                raise HTTPException(
                    413, f"the body has more than {MAX_JSON_MEMBERS} members: send it in parts"
                )
            return read

        return json.loads(body, object_hook=count)
