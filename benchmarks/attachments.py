"""What stands below a question's measurements: a table of its own, and a picture of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measurement import short

SCALE = 1.5


@dataclass(frozen=True, slots=True)
class Attachment:
    """A table, and a picture where there is one.

    Parameters
    ----------
    title : what is shown
    text : how it was measured
    name : of the picture's file
    picture : a Vega-Lite specification; None where the table says enough
    """

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    name: str
    picture: Mapping[str, Any] | None = None

    def line(self) -> str:
        """Return it for a terminal."""
        return "\n".join(f"  {line}" for line in (f"{self.title}. {self.text}", "", *self._table()))

    def draw(self, folder: Path) -> None:
        """Write the picture into a folder, where there is one."""
        if self.picture is None:
            return
        import vl_convert  # starts a JavaScript engine: only who writes the page should wait for it

        self._file(folder).write_bytes(vl_convert.vegalite_to_png(dict(self.picture), scale=SCALE))

    def markdown(self, folder: str) -> str:
        """Return it for the page, with the picture in a folder beside it."""
        picture = [] if self.picture is None else [f"![{self.title}]({self._file(Path(folder))})", ""]
        return "\n".join([f"{self.title}. {self.text}", "", *picture, *self._table()])

    def _file(self, folder: Path) -> Path:
        return folder / f"benchmarks-{self.name}.png"

    def _table(self) -> list[str]:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return [f"| {' | '.join(map(_cell, line))} |" for line in lines]


def _cell(value: str | float) -> str:
    return value if isinstance(value, str) else short(value)
