"""Write the pages beside this file from the code they describe: `make reference`. A test keeps them current."""

import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from pydantic import AliasChoices

from app.api import problem_details
from app.observability import metrics
from app.schemas.experiments.policies import every_policy
from app.services.prometheus import DatabaseSnapshot, metric_families
from app.settings import ServiceSettings

HERE = Path(__file__).parent
MADE = "<!-- made from the code by `make reference`; do not edit -->\n\n"

SETTINGS = """# Settings

From the environment or a `.env` file in the folder the service is started in; variables of the environment
come first. [.env.example](../../.env.example) holds the same as a file to copy.

"""
ERRORS = """# Errors

Every refusal is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)): `type`, `title`,
`status`, `detail` (a sentence for the person who sent the message), `request_id` (finds the line in the log) and,
where fields are at fault, `errors[]` of `field`, `message` and, in uploads, `line`. The paths under `/ofrep/` have
the form of their protocol instead. 429 and 503 carry `Retry-After` in whole seconds.

"""
ERRORS_OF_CONNECTIONS = """
Before there is a request, without a `request_id`, and the connection is closed: 400 what is no HTTP, 408 a client
that is too slow (`GROUNDHOG_HEAD_SECONDS`, `GROUNDHOG_STALL_SECONDS`, `GROUNDHOG_MIN_BODY_RATE`), 431 a head over
`GROUNDHOG_MAX_HEAD_BYTES`.
"""
FIGURES = """# Figures for Prometheus

`GET /metrics`, with a key of the scope `read` or where `GROUNDHOG_TELEMETRY_OPEN=true`. Experiments beyond
`GROUNDHOG_TELEMETRY_EXPERIMENTS` are counted and not shown one by one. Dashboard and alerts:
[deploy](../../deploy).

"""
POLICIES = """# Policies

`policy` of an experiment: `{"kind": ..., parameter: ...}`. How they decide:
[how-it-decides.md](../how-it-decides.md); one of your own: [your-own-policy.md](../your-own-policy.md).

"""


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    return {
        "settings.md": MADE + _settings(),
        "errors.md": MADE + _errors(),
        "figures.md": MADE + _figures(),
        "policies.md": MADE + _policies(),
    }


def _table(*rows: tuple[str, ...]) -> str:
    """Return rows as Markdown, the first of them the head."""
    head, *body = rows
    lines = [f"| {' | '.join(row)} |" for row in (head, tuple("---" for _ in head), *body)]
    return "\n".join(lines).replace("<", "\\<") + "\n"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    alias = ServiceSettings.model_fields[name].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"GROUNDHOG_{name.upper()}"


def _settings() -> str:
    rows = [
        (f"`{variable(name)}`", _default(name), str(field.description))
        for name, field in ServiceSettings.model_fields.items()
    ]
    return SETTINGS + _table(("name", "default", "meaning"), *rows)


def _default(name: str) -> str:
    if name == "home":
        return "`~/.local/share/groundhog`; as root `/var/lib/groundhog`"
    default = ServiceSettings.model_fields[name].default
    if default is None or default in ("", ()):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _errors() -> str:
    rows = [
        (str(status), problem_details.TITLES[status], _first_sentence(kind))
        for kind, status in sorted(problem_details.STATUS.items(), key=lambda pair: pair[1])
    ]
    return ERRORS + _table(("status", "title", "when"), *rows) + ERRORS_OF_CONNECTIONS


def _first_sentence(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def _figures() -> str:
    own = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    rows = [(_exposed(metric), metric._type, _labels(metric), metric._documentation) for metric in own]
    rows += [
        (family.name, family.type, _labels(family), family.documentation)
        for family in metric_families(DatabaseSnapshot(), datetime.now(UTC))
    ]
    shown = [(f"`{name}`", *rest) for name, *rest in sorted(rows)]
    return FIGURES + _table(("name", "type", "labels", "meaning"), *shown)


def _exposed(metric: Any) -> str:
    return f"{metric._name}_total" if metric._type == "counter" else str(metric._name)


def _labels(metric: Any) -> str:
    return ", ".join(f"`{name}`" for name in metric._labelnames)


def _policies() -> str:
    sections = [_policy(policy.kind, policy.summary, policy.objective, policy.parameters)
                for policy in every_policy().items]  # fmt: skip
    return POLICIES + "\n".join(sections)


def _policy(kind: str, summary: str, objective: str, parameters: dict[str, Any]) -> str:
    rows = [
        (
            f"`{name}`",
            _bounds(about),
            f"`{about['default']}`" if "default" in about else "none",
            about["description"],
        )
        for name, about in parameters["properties"].items()
    ]
    table = "\n" + _table(("parameter", "values", "default", "meaning"), *rows) if rows else ""
    return f"## {kind}\n\n{summary}\n\nFor the objective: {objective}.\n{table}"


def _bounds(about: dict[str, Any]) -> str:
    if about["type"] == "object":
        return "variant: percent"
    least, most = about.get("minimum"), about.get("maximum")
    return f"{least:g} to {most:g}" if most is not None else f"at least {least:g}"


if __name__ == "__main__":
    main()
