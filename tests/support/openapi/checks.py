"""Which of schemathesis's checks hold for which operation, and how it writes bodies that are no JSON."""

import json

import schemathesis
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks

load_all_checks()

EVERYWHERE = [checks.positive_data_acceptance]
"""What fits the schema may still be impossible: more successes than impressions, a date after tomorrow, floors."""

OPEN = [checks.ignored_auth]
"""Without any key made the service is open; below it is attacked once more with keys."""

METHODS = [checks.unsupported_method, checks.allow_header_conformance]
MISFIRES = {
    "GET /metrics": METHODS,  # POST /metrics stores as well; it is described once, as /metrics/
    "POST /metrics/": METHODS,  # GET /metrics/ is Prometheus as well; it is described once, as /metrics
    "POST /metrics/bulk": [checks.allow_header_conformance],  # GET reads an experiment that is called "bulk"
    "POST /simulations/email": [checks.allow_header_conformance],  # GET reads a simulation called "email"
    "POST /simulations/clv": [checks.allow_header_conformance],
    "POST /simulations/replay": [checks.allow_header_conformance],
    "POST /experiments/import": [checks.allow_header_conformance],  # GET reads an experiment called "import"
    "POST /assignments/overrides": [checks.allow_header_conformance],  # GET reads one called "overrides"
    "POST /assignments/merge": [checks.allow_header_conformance],
    "POST /assignments/forget": [checks.allow_header_conformance],
}


@schemathesis.serializer("application/x-ndjson", "text/csv")
def text_body(context: object, value: object) -> bytes:
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()
