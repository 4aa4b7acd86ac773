"""The `groundhog` command in this very process."""

from click.testing import Result
from typer.testing import CliRunner

from app.cli.main import commands


def run(*arguments: object) -> Result:
    """Run a command that needs no database; only an exit code is no error."""
    answer = CliRunner().invoke(commands, [str(argument) for argument in arguments], env={"DATABASE_URL": ""})
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer
