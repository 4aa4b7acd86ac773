"""A policy's kind and parameters, as a dictionary and as one word."""

import json
from dataclasses import fields
from typing import Any, ClassVar


class Described:
    """Gives a frozen dataclass of parameters its description; equal parameters give equal labels.

    What a world gave to a contestant is no parameter: such fields have `repr=False`.
    """

    kind: ClassVar[str]

    def described(self) -> dict[str, Any]:
        """The kind and every parameter, JSON-able."""
        given = [field.name for field in fields(self) if field.repr]  # type: ignore[arg-type]
        return {"kind": self.kind, **{name: _plain(getattr(self, name)) for name in given}}

    @property
    def label(self) -> str:
        """The description in one word."""
        return json.dumps(self.described(), sort_keys=True)


def _plain(given: Any) -> Any:
    return list(given) if isinstance(given, tuple) else given
