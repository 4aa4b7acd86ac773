"""`groundhog load`, `export`, `import` and `delete`: files of daily metrics, and whole experiments."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.options import Home, command_database
from app.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from app.schemas.experiments.deletion import Deletion
    from app.schemas.metrics import LineError
    from app.services.metrics.resumable_load import Checkpoint
    from app.storage.database import Database

transfer = typer.Typer()

SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
SOME_REJECTED = 3
"""Exit code if some lines were rejected and the others stored."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as in shells."""


@transfer.command()
def load(
    file: Annotated[str, typer.Argument(help="CSV or NDJSON; - is standard input")],
    form: Annotated[
        str | None, typer.Option("--format", help="csv or ndjson; by default from the file's suffix")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Start again from the first line")] = False,
    home: Home = None,
) -> None:
    """Load daily metrics of any number; an interrupted load continues where it stopped.

    The valid lines are stored; rejected lines are listed on standard error, and the exit code is then 3. Of
    several lines with the same key the last wins.
    """
    from app.services.access import audit_log
    from app.services.metrics import resumable_load

    kind = _form_of(file, form)
    with _opened(file) as (source, size, name), command_database(home) as (database, settings):
        if again:
            resumable_load.delete_checkpoint(database, name)
        audit_log.start("load", datetime.now(UTC))
        chunks = resumable_load.load(database, source, kind, datetime.now(UTC), settings, name)
        checkpoint = _show(
            chunks, size, resumable_load.read_checkpoint(database, name), "-" if name is None else file
        )
    print(_summary(checkpoint))
    if checkpoint.rejected:
        raise typer.Exit(SOME_REJECTED)


def _show(
    chunks: "Iterator[tuple[Checkpoint, list[LineError]]]",
    size: int | None,
    checkpoint: "Checkpoint",
    file: str,
) -> "Checkpoint":
    """Load with a progress bar from a checkpoint on, list the rejected lines, and return the last checkpoint."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("loading", total=size, completed=checkpoint.offset)
        try:
            for checkpoint, rejected in chunks:
                for error in rejected:
                    where = f" {error.field}" if error.field else ""
                    console.print(f"line {error.line}{where}: {error.message}", markup=False, highlight=False)
                bar.update(task, completed=checkpoint.offset, description=f"{checkpoint.line:,} lines")
        except (SystemExit, Unavailable) as error:
            how = "" if file == "-" else "; the same command continues from there"
            console.print(f"Stopped: the lines up to {checkpoint.line:,} are stored{how}.", soft_wrap=True)
            if isinstance(error, Unavailable):
                raise
            raise typer.Exit(INTERRUPTED) from None
    return checkpoint


def _summary(checkpoint: "Checkpoint") -> str:
    return (
        f"{checkpoint.received:,} lines: {checkpoint.inserted:,} inserted, {checkpoint.updated:,} updated,"
        f" {checkpoint.unchanged:,} unchanged, {checkpoint.superseded:,} superseded,"
        f" {checkpoint.rejected:,} rejected."
    )


@transfer.command("export")
def export_experiment(
    experiment_id: Annotated[str, typer.Argument(help="The experiment's id")],
    to: Annotated[Path | None, typer.Option("--to", help="A file; by default standard output")] = None,
    home: Home = None,
) -> None:
    """Write a whole experiment as NDJSON: settings, data, revisions, assignments, events."""
    with command_database(home) as (database, _):
        _export(database, experiment_id, to)


def _export(database: "Database", experiment_id: str, to: Path | None) -> None:
    from app.services.transfer import export_import

    with database.snapshot() as session:
        lines = export_import.export(session, experiment_id)
        first = next(lines)  # without such an experiment nothing is written
        with _written(to) as file:
            file.write(first)
            file.writelines(lines)


@transfer.command("import")
def import_experiment(
    file: Annotated[str, typer.Argument(help="An exported file; - is standard input")], home: Home = None
) -> None:
    """Store an exported experiment completely or not at all; its allocations are the same to the byte."""
    from app.services.access import audit_log
    from app.services.transfer import export_import

    audit_log.start("import_experiment", datetime.now(UTC))
    with (
        _opened(file) as (source, _, _),
        command_database(home) as (database, _),
        database.transaction() as session,
    ):
        imported = export_import.restore(session, source)
    print(f"Imported {imported.experiment_id}: {sum(imported.rows.values()):,} rows.")


@transfer.command("delete")
def delete_experiment(
    experiment_id: Annotated[str, typer.Argument(help="The experiment's id")],
    export: Annotated[Path | None, typer.Option("--export", help="Write it to this file first")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed without a terminal")] = False,
    home: Home = None,
) -> None:
    """Delete an experiment permanently, with everything stored of it, after asking."""
    from app.services.access import audit_log
    from app.services.experiments import deletion

    with command_database(home) as (database, _):
        with database.transaction() as session:
            found = deletion.preview(session, experiment_id)
        if not yes:
            _ask_for_id(found)
        if export is not None:
            _export(database, experiment_id, export)
        now = datetime.now(UTC)
        audit_log.start("delete_experiment", now)
        with database.transaction() as session:
            deletion.archive(session, experiment_id, experiment_id, now)
        with database.transaction() as session:
            deleted = deletion.delete_experiment(session, experiment_id, now)
    print(f"Deleted {experiment_id}: {deleted.summary()}.")


def _ask_for_id(found: "Deletion") -> None:
    """Have the experiment's id typed before it is deleted."""
    what = f"the experiment {found.experiment_id} permanently, with its {found.summary()}"
    if not sys.stdin.isatty():
        raise Invalid(f"This deletes {what}. Nothing was deleted: add --yes.")
    typer.echo(f"This deletes {what}.", err=True)
    if (
        typer.prompt("Type its id to delete it", default="", show_default=False, err=True)
        != found.experiment_id
    ):
        raise Invalid("That is not its id; nothing was deleted.")


def _form_of(file: str, form: str | None) -> Literal["csv", "ndjson"]:
    name = file.lower().removesuffix(".gz")
    known = SUFFIXES.get(Path(name).suffix) if form is None else form
    match known:
        case "csv" | "ndjson":
            return known
    raise Invalid(f"The format of {file} is not known: add --format csv or --format ndjson.")


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None, str | None]]:
    """Yield a file, its size, and the name of its checkpoint; standard input has only the first."""
    if file == "-":
        yield sys.stdin.buffer, None, None
        return
    try:
        path, state = Path(file).resolve(), Path(file).stat()
        checkpoint = f"{path} {state.st_size} {state.st_mtime_ns}"
        if file.lower().endswith(".gz"):
            with gzip.open(file, "rb") as unpacked:
                yield cast("BinaryIO", unpacked), None, checkpoint
        else:
            with open(file, "rb") as source:
                yield source, state.st_size, checkpoint
    except (OSError, EOFError, zlib.error) as error:
        raise Invalid(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def _written(to: Path | None) -> Iterator[BinaryIO]:
    """Yield a file to write to, or standard output.

    Raises
    ------
    Invalid: it cannot be written, or not completely
    """
    try:
        with open(sys.stdout.fileno() if to is None else to, "wb", closefd=to is not None) as file:
            yield file
    except OSError as error:
        raise Invalid(f"{to or 'standard output'} cannot be written: {error.strerror}") from error
