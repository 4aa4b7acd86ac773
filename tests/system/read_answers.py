"""Read answers of a service in this process, and write them: ``DATABASE_URL MOMENT PATH...``."""

import datetime as dt
import json
import sys

from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings


def read(database_url: str, now: dt.datetime, paths: list[str]) -> dict[str, list[str]]:
    """Return the ETag and the body of each path's answer."""
    with TestClient(create_app(ServiceSettings(database_url=database_url), lambda: now)) as client:
        answers = {path: client.get(path) for path in paths}
    return {
        path: [answer.headers.get("ETag", ""), answer.raise_for_status().text]
        for path, answer in answers.items()
    }


if __name__ == "__main__":
    database_url, moment, *paths = sys.argv[1:]
    sys.stdout.write(json.dumps(read(database_url, dt.datetime.fromisoformat(moment), paths)))
