"""`groundhog load`, `export` and `import`: files of daily metrics, and whole experiments, in and out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.options import Home, command_database
from app.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from app.schemas.metrics import LineError
    from app.services.metrics.resumable_load import Checkpoint

transfer = typer.Typer()

SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
REFUSED = 3
"""Exit code where some lines were refused and the others stored."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


@transfer.command()
def load(
    file: Annotated[str, typer.Argument(help="CSV or NDJSON; - is standard input")],
    form: Annotated[
        str | None, typer.Option("--format", help="csv or ndjson; by default the file's suffix says it")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Begin anew where an earlier load stopped")] = False,
    home: Home = None,
) -> None:
    """Load daily metrics of any number; a load that was interrupted goes on where it stopped.

    The good lines are stored, those refused are listed on standard error and end the command with code 3. Of
    several lines with the same key the last wins.
    """
    from app.services.access import audit_log
    from app.services.metrics import resumable_load

    kind = _form_of(file, form)
    with _opened(file) as (source, size, name), command_database(home) as (database, settings):
        if again:
            resumable_load.delete_checkpoint(database, name)
        audit_log.start("load", datetime.now(UTC))
        parts = resumable_load.load(database, source, kind, datetime.now(UTC), settings, name)
        mark = _show(
            parts, size, resumable_load.read_checkpoint(database, name), "-" if name is None else file
        )
    print(_summary(mark))
    if mark.rejected:
        raise typer.Exit(REFUSED)


def _show(
    parts: "Iterator[tuple[Checkpoint, list[LineError]]]", size: int | None, mark: "Checkpoint", file: str
) -> "Checkpoint":
    """Load with a progress bar from a mark on, listing the lines refused; return how it ended."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("loading", total=size, completed=mark.offset)
        try:
            for mark, refused in parts:
                for error in refused:
                    where = f" {error.field}" if error.field else ""
                    console.print(f"line {error.line}{where}: {error.message}", markup=False, highlight=False)
                bar.update(task, completed=mark.offset, description=f"{mark.line:,} lines")
        except (SystemExit, Unavailable) as error:
            on = "" if file == "-" else "; the same command goes on from there"
            console.print(f"Stopped: the lines up to {mark.line:,} are stored{on}.")
            if isinstance(error, Unavailable):
                raise
            raise typer.Exit(INTERRUPTED) from None
    return mark


def _summary(mark: "Checkpoint") -> str:
    return (
        f"{mark.received:,} lines: {mark.inserted:,} inserted, {mark.updated:,} updated,"
        f" {mark.unchanged:,} unchanged, {mark.superseded:,} superseded, {mark.rejected:,} refused."
    )


@transfer.command("export")
def export_experiment(
    experiment_id: Annotated[str, typer.Argument(help="Its id")],
    to: Annotated[Path | None, typer.Option("--to", help="A file; by default standard output")] = None,
    home: Home = None,
) -> None:
    """Write everything an experiment has as NDJSON: settings, data, revisions, assignments, events."""
    from app.services.transfer import export_import

    with command_database(home) as (database, _), database.snapshot() as session:
        lines = export_import.export(session, experiment_id)
        first = next(lines)  # nothing is written where there is no such experiment
        with _written(to) as file:
            file.write(first)
            file.writelines(lines)


@transfer.command("import")
def import_experiment(
    file: Annotated[str, typer.Argument(help="An exported file; - is standard input")], home: Home = None
) -> None:
    """Store an exported experiment whole, or not at all; its allocations are the same to the byte."""
    from app.services.access import audit_log
    from app.services.transfer import export_import

    audit_log.start("import_experiment", datetime.now(UTC))
    with (
        _opened(file) as (source, _, _),
        command_database(home) as (database, _),
        database.transaction() as session,
    ):
        made = export_import.restore(session, source)
    print(f"Imported {made.experiment_id}: {sum(made.rows.values()):,} rows.")


def _form_of(file: str, form: str | None) -> Literal["csv", "ndjson"]:
    known = SUFFIXES.get(Path(file).suffix.lower()) if form is None else form
    match known:
        case "csv" | "ndjson":
            return known
    raise Invalid(f"Say what {file} is: --format csv or --format ndjson.")


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None, str | None]]:
    """Give a file's bytes, its size, and the name its way is marked under; standard input has neither."""
    if file == "-":
        yield sys.stdin.buffer, None, None
        return
    try:
        with open(file, "rb") as source:
            place, state = Path(file).resolve(), Path(file).stat()
            yield source, state.st_size, f"{place} {state.st_size} {state.st_mtime_ns}"
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from error


@contextmanager
def _written(to: Path | None) -> Iterator[BinaryIO]:
    """Give a file to be written, or standard output.

    Raises
    ------
    Invalid: it cannot be written, or not to its end
    """
    try:
        with open(sys.stdout.fileno() if to is None else to, "wb", closefd=to is not None) as file:
            yield file
    except OSError as error:
        raise Invalid(f"{to or 'standard output'} cannot be written: {error.strerror}") from error
