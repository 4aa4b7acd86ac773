"""A client that a common generator makes from the description works against the service."""

import json
import os
import re
import subprocess

import pytest

from app.main import create_app
from app.settings import ServiceSettings
from tests.support import LIMIT, ROOT
from tests.support.databases import fresh_database
from tests.support.service_process import running_service

GENERATOR = ROOT / "build/client-generator/bin/openapi-python-client"
PROGRAM = """
import sys
from generated import Client
from generated.api.allocations import read_allocation
from generated.api.experiments import list_experiments
from generated.api.metrics import record_metrics
from generated.models import DailyTotal

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
days = [("control", 120), ("bold", 150)]
rows = [
    DailyTotal.from_dict({"experiment_id": "e", "variant_id": name, "date": "2023-07-15",
                          "impressions": 1000, "successes": successes})
    for name, successes in days
]
print(record_metrics.sync(client=client, body=rows).inserted)
print(read_allocation.sync("e", client=client, for_date="2023-07-16").allocations.to_dict())
print([one.experiment_id for one in list_experiments.sync(client=client).items])
"""

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not GENERATOR.exists(), reason="make test-marked installs the generator"),
]


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The folder of a generated client, and what its generator said."""
    folder = tmp_path_factory.mktemp("client")
    description = create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none")).openapi()
    (folder / "openapi.json").write_text(json.dumps(description))
    (folder / "config.yml").write_text("post_hooks: []\n")
    command = [GENERATOR, "generate", "--path", "openapi.json", "--config", "config.yml", "--meta", "none"]
    made = subprocess.run(
        [*command, "--output-path", "generated"],
        cwd=folder,
        env=os.environ | {"COLUMNS": "500", "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert made.returncode == 0, made.stderr
    return folder, made.stderr


def test_the_generator_leaves_out_no_schema_and_only_uploads_it_cannot_send(generated):
    _, said = generated
    assert "Unable to process schema" not in said
    left_out = re.findall(r"parsing (\S+ \S+) within \w+\.\s+Endpoint\s+will\s+not", said)
    assert left_out == ["POST /experiments/import"]


def test_the_generated_client_reports_a_day_and_reads_the_split(generated, server_url):
    folder, _ = generated
    with fresh_database(server_url) as url, running_service(url) as service:
        ended = subprocess.run(
            [GENERATOR.with_name("python"), "-c", PROGRAM, service.address],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["2", "{'control': 2.4932, 'bold': 97.5068}", "['e']"]
