"""The container files say what the service really needs: no engine runs here, so they are read and compared."""

import re

import yaml

from app.settings import ServiceSettings
from tests.support import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
KUBERNETES = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/groundhog.yaml").read_text()))
SETTINGS = {f"GROUNDHOG_{name.upper()}" for name in ServiceSettings.model_fields} | {"DATABASE_URL"}


def environments():
    services = COMPOSE["services"]
    yield from (services[name].get("environment", {}) for name in ("api", "migrate"))
    yield dict(re.findall(r"(GROUNDHOG_\w+)=(\S+)", DOCKERFILE))


def pods():
    return {
        document["kind"]: document["spec"]["template"]["spec"]
        for document in KUBERNETES
        if "template" in document["spec"]
    }


def test_every_variable_that_containers_are_given_is_a_setting():
    assert set().union(*environments()) <= SETTINGS


def test_the_image_runs_as_a_user_with_a_passwd_entry_and_without_a_shell_in_between():
    assert re.search(r"useradd .*--uid 10001", DOCKERFILE)
    assert "USER 10001" in DOCKERFILE
    assert 'ENTRYPOINT ["groundhog"]' in DOCKERFILE
    assert "/readyz" in re.search(r"HEALTHCHECK.*\n.*", DOCKERFILE)[0]


def test_compose_migrates_once_before_it_serves():
    api, migrate = COMPOSE["services"]["api"], COMPOSE["services"]["migrate"]
    assert migrate["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert api["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert COMPOSE["services"]["postgres"]["healthcheck"]["test"][0] == "CMD"


def test_only_the_container_that_migrates_does():
    assert COMPOSE["services"]["api"]["environment"]["GROUNDHOG_MIGRATE"] == "false"
    deployed = pods()["Deployment"]["containers"][0]
    assert {"name": "GROUNDHOG_MIGRATE", "value": "false"} in deployed["env"]
    assert pods()["Job"]["containers"][0]["args"] == COMPOSE["services"]["migrate"]["command"] == ["migrate"]


def test_compose_gives_our_containers_no_right_they_do_not_need_and_time_to_end():
    for name in ("api", "migrate"):
        container = COMPOSE["services"][name]
        assert (container["read_only"], container["cap_drop"]) == (True, ["ALL"])
        assert container["security_opt"] == ["no-new-privileges:true"]
    grace = COMPOSE["services"]["api"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > ServiceSettings.model_fields["shutdown_seconds"].default


def test_only_the_profile_observability_starts_prometheus_and_grafana():
    profiles = {name: service.get("profiles") for name, service in COMPOSE["services"].items()}
    watching = {"prometheus": ["observability"], "grafana": ["observability"]}
    assert profiles == dict.fromkeys(("postgres", "migrate", "api")) | watching


def test_a_service_that_others_can_reach_is_given_a_key_and_prometheus_can_read_it():
    given = COMPOSE["services"]["api"]["environment"]
    assert given["GROUNDHOG_ADMIN_KEY"].startswith("${GROUNDHOG_ADMIN_KEY:?")  # without one compose says so
    assert given["GROUNDHOG_PUBLIC_METRICS"] == "true"
    assert "GROUNDHOG_ADMIN_KEY" in (ROOT / "deploy/kubernetes/groundhog.yaml").read_text()


def test_compose_keeps_the_data_where_the_image_of_18_has_it():
    assert "data:/var/lib/postgresql" in COMPOSE["services"]["postgres"]["volumes"]


def test_compose_opens_no_port_to_the_network():
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_what_compose_mounts_from_this_tree_is_there():
    mounts = [mount for service in COMPOSE["services"].values() for mount in service.get("volumes", [])]
    folders = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert folders
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_prometheus_scrapes_and_grafana_asks_by_the_names_of_compose():
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    assert scraped[0]["static_configs"][0]["targets"] == ["api:8000"]
    sources = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    assert sources["datasources"][0]["url"] == "http://prometheus:9090"
    assert {"api", "prometheus"} <= set(COMPOSE["services"])


def test_grafana_finds_the_dashboard_in_the_configured_folder():
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/groundhog.yml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in COMPOSE["services"]["grafana"]["volumes"]


def test_kubernetes_runs_every_container_without_rights_it_does_not_need():
    assert set(pods()) == {"Job", "Deployment"}
    for pod in pods().values():
        assert pod["securityContext"]["runAsUser"] == 10001
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_kubernetes_waits_longer_for_the_end_than_the_service_takes():
    pod = pods()["Deployment"]
    _, seconds = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    takes = int(seconds) + ServiceSettings.model_fields["shutdown_seconds"].default
    assert pod["terminationGracePeriodSeconds"] > takes


def test_no_service_of_kubernetes_writes_over_a_setting():
    """Of the service groundhog it would make GROUNDHOG_PORT=tcp://10.0.0.1:80 in every pod."""
    names = {document["metadata"]["name"] for document in KUBERNETES if document["kind"] == "Service"}
    assert {f"{name.upper()}_PORT" for name in names} & SETTINGS
    assert [kind for kind, pod in pods().items() if pod.get("enableServiceLinks") is not False] == []


def test_kubernetes_asks_the_paths_that_answer_without_a_key():
    container = pods()["Deployment"]["containers"][0]
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
