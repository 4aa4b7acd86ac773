"""Limit the members of a request's JSON: without it, rejecting a large document can take seconds."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_JSON_MEMBERS = 100_000
"""Members of all objects of a document; the largest accepted one, 5,000 events, has half as many."""


class LimitedJsonRequest(Request):
    """A request whose JSON has a limited number of members."""

    async def json(self) -> Any:
        """Return the JSON of the body; 413 where it has too many members."""
        body = await self.body()
        if body.count(b":") <= MAX_JSON_MEMBERS:  # each member has at least one
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
