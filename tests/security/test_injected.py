"""SQL, CRLF, NUL and the like in every text that any operation takes, one at a time: refused or kept as a text."""

import copy
import json
import re
from urllib.parse import quote

import psycopg
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from tests.support.clock import SettableClock
from tests.support.databases import TABLES, empty
from tests.support.openapi.description import DESCRIPTION, examples, resolved
from tests.support.totals import small_total as total

HALF = "\ud800"
"""Half a character: JSON can write it, UTF-8 cannot. It is tried in every place."""
ATTACKS = {
    "SQL": "x'; drop table experiments; --",
    "SQL in quotes": '"; select pg_sleep(30); --',
    "a union": "a' union select secret_sha256 from api_keys--",
    "a backslash": "\\'; delete from variants; --",
    "a dollar quote": "$$; truncate audit; $$",
    "a placeholder": "%(experiment_id)s %s {0} :now $1",
    "CRLF": "a\r\nX-Made-Up: b\r\n\r\n<html>",
    "NUL": "a\0b",
    "a path": "../../../../etc/passwd",
    "a script": "<script>alert(1)</script>",
    "a template": "{{7*7}}${7*7}<%= 7*7 %>",
    "a format": "%s%n%x",
    "a lone surrogate": HALF,
    "an override": "a\u202eb",
    "a long one": "a" * 20_000,
    "nothing": "",
}
LEAKS = re.compile(r'psycopg|sqlalchemy|traceback|relation "|syntax error|File "', re.IGNORECASE)
OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
]
KNOWN = {"experiment_id": "homepage", "variant_id": "control", "key": "homepage", "date": "2026-03-01"}


@pytest.fixture(scope="module")
def attacked(migrated_url):
    empty(migrated_url)
    small = {"simulation_max_decisions": 1, "simulation_wait_seconds": 0}  # what fits is not played
    application = create_app(ServiceSettings(database_url=migrated_url, **small), SettableClock())
    with TestClient(application, raise_server_exceptions=False) as client:
        client.post("/metrics/", json=[total(), total(variant_id="bold")])
        client.rows = counts(migrated_url)
        client.url = migrated_url
        yield client


def counts(url):
    """How many rows each table has: none may vanish."""
    with psycopg.connect(url) as connection:
        return {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for name in TABLES}


def filled(path):
    return path.format_map(KNOWN | {"simulation_id": "0" * 32})


def places(value, so_far=()):
    """Yield where a message has a text, and each of its names."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield (*so_far, name, None)
            yield from places(part, (*so_far, name))
    elif isinstance(value, list):
        for number, part in enumerate(value[:1]):
            yield from places(part, (*so_far, number))
    elif isinstance(value, str):
        yield so_far


def replaced(message, place, attack):
    """Return a message with another text, or another name, in one place."""
    if not place:
        return attack
    changed = copy.deepcopy(message)
    *way, last = place[:-1] if place[-1] is None else place
    inner = changed
    for step in way:
        inner = inner[step]
    if place[-1] is None:
        inner[attack] = inner.pop(last)
    else:
        inner[last] = attack
    return changed


def every_text(schema):
    """Return a message that has every text that a schema knows of, so far as its examples leave one out."""
    schema = resolved(schema)
    kinds = [resolved(one) for one in schema.get("anyOf", [schema])]
    for kind in kinds:
        if kind.get("type") == "object" or "properties" in kind:
            return {name: every_text(part) for name, part in kind.get("properties", {}).items()}
        if kind.get("type") == "array":
            return [every_text(kind["items"])]
        if kind.get("type") in {"integer", "number", "boolean"}:
            return 1
    return "a"


def bodies(operation):
    """Yield the type and the text of bodies with one attack in one place: every place, every attack in some."""
    attacks, seen = list(ATTACKS.values()), set()
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        for example in [*examples(media), *([every_text(media["schema"])] if kind.endswith("/json") else [])]:
            if kind == "text/csv":
                for attack in attacks:
                    yield kind, example.replace("homepage_test", attack).encode(errors="surrogatepass")
                continue
            if kind == "multipart/form-data":
                continue  # its file is a table: as text/csv
            message = example if kind.endswith("/json") else json.loads(example.splitlines()[0])
            for place in places(message):
                if place not in seen:
                    seen.add(place)
                    some = [attacks[(len(seen) + 5 * turn) % len(attacks)] for turn in range(3)]
                    for attack in dict.fromkeys([*some, HALF]):
                        yield kind, json.dumps(replaced(message, place, attack))


def check(answer, sent):
    assert answer.status_code < 500, (sent, answer.text)
    assert "X-Made-Up" not in answer.headers
    assert all("\r" not in value and "\n" not in value for value in answer.headers.values())
    if answer.status_code >= 400:
        assert not LEAKS.search(answer.text), sent
        assert len(answer.content) < 50_000


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_attack_in_any_text_is_rejected_or_stays_a_text(attacked, path, method, operation):
    for sent in requests(path, method, operation):
        check(attacked.request(**sent), sent)
    left = counts(attacked.url)
    assert [name for name, rows in attacked.rows.items() if left[name] < rows] == []


def requests(path, method, operation):
    """Yield requests with one attack in one place each: all attacks in paths, half of them elsewhere."""
    usual, url = next(iter(bodies(operation)), (None, None)), filled(path)
    body = {"content": usual[1], "headers": {"Content-Type": usual[0]}} if usual[0] else {"headers": {}}
    parameters = [(one["in"], one["name"]) for one in operation.get("parameters", [])]
    for kind, text in bodies(operation):
        yield {"method": method, "url": url, "content": text, "headers": {"Content-Type": kind}}
    for number, attack in enumerate(ATTACKS.values()):
        text = attack.encode("utf-8", "replace").decode()
        for place, (where, name) in enumerate([*parameters, ("header", "X-Request-ID"), ("query", text)]):
            sent = {"method": method, "url": url, **body}
            if where == "path":
                sent["url"] = filled(path.replace(f"{{{name}}}", quote(text, safe="")))
            elif (number + place) % 2:
                continue
            elif where == "query":
                sent["url"] = f"{url}?{quote(name, safe='')}={quote(text, safe='')}"
            else:
                printable = "".join(letter for letter in text if letter.isprintable()).encode("utf-8")
                sent["headers"] = {**body["headers"], name: printable}
            yield sent
