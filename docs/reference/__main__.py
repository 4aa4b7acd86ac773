"""Write the pages beside this file from the code they describe: `make reference`. A test compares them."""

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
GENERATED = "<!-- generated from the code by `make reference`; do not edit -->\n\n"

SETTINGS = """# Settings

Read from the environment or from a `.env` file in the working directory; environment variables take precedence.
[.env.example](../../.env.example) lists the same settings as a file to copy.

"""
ERRORS = """# Errors

Every error response is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with
`type`, `title`, `status`, `detail` (one sentence for the client), `request_id` (the same as in the log line) and,
for invalid fields, `errors[]` with `field`, `message` and, in uploads, `line`. Paths under `/ofrep/` use that
protocol's format instead. 429 and 503 carry `Retry-After` in whole seconds.

"""
CONNECTION_ERRORS = """
Before a request is complete, the service answers without a `request_id` and closes the connection: 400 for what
is not HTTP, 408 for a client that is too slow (`GROUNDHOG_HEADER_TIMEOUT_SECONDS`,
`GROUNDHOG_IDLE_TIMEOUT_SECONDS`, `GROUNDHOG_MIN_BODY_RATE`), 431 for headers larger than
`GROUNDHOG_MAX_HEAD_BYTES`.
"""
METRICS = """# Prometheus metrics

`GET /metrics` needs an API key with the scope `read`, or `GROUNDHOG_PUBLIC_METRICS=true`. Series with the label
`experiment` are exported for at most `GROUNDHOG_METRICS_MAX_EXPERIMENTS` experiments, those with
the label `variant` for at most `GROUNDHOG_METRICS_MAX_VARIANTS` variants of them together, in the order of the
experiments' ids and of the variants' registration; `groundhog_experiments` counts all experiments,
`groundhog_variants_omitted` the variants left out. How to scrape it, alerts and a Grafana dashboard:
[monitoring](../how-to/monitoring.md). Names used by older versions:
[upgrading](../how-to/upgrading.md#renamed-prometheus-series).

"""
POLICIES = """# Policies

The `policy` of an experiment is `{"kind": ..., parameter: ...}`. How policies decide:
[allocation algorithm](../explanation/allocation-algorithm.md). How to write one:
[custom policies](../how-to/custom-policies.md).

"""


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    return {
        "settings.md": GENERATED + _settings(),
        "errors.md": GENERATED + _errors(),
        "prometheus-metrics.md": GENERATED + _metrics(),
        "policies.md": GENERATED + _policies(),
    }


def _table(*rows: tuple[str, ...]) -> str:
    """Return rows as a Markdown table; the first row is the header."""
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
    return ERRORS + _table(("status", "title", "when"), *rows) + CONNECTION_ERRORS


def _first_sentence(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def _metrics() -> str:
    own = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    rows = [(_exposed(metric), metric._type, _labels(metric), metric._documentation) for metric in own]
    rows += [
        (family.name, family.type, _labels(family), family.documentation)
        for family in metric_families(DatabaseSnapshot(), datetime.now(UTC), 0)
    ]
    shown = [(f"`{name}`", *rest) for name, *rest in sorted(rows)]
    return METRICS + _table(("name", "type", "labels", "meaning"), *shown)


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
