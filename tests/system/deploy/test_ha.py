"""The programs of the highly available set-up take its configuration; `make ha` runs the whole of it.

Starting three nodes takes longer than a test may; here every file is read by the program it is meant for.
"""

import re
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from deploy.ha.configuration import NODES, Plan, free_network
from deploy.ha.programs import Missing, postgresql


@pytest.fixture
def plan(tmp_path):
    for name in NODES:
        (tmp_path / name).mkdir()
    return Plan(free_network(), Path("/usr/lib/postgresql/15/bin"), tmp_path)


@pytest.fixture
def installed(tmp_path):
    """A plan with the programs of this machine."""
    try:
        return Plan(free_network(), postgresql(), tmp_path)
    except Missing as missing:
        pytest.skip(str(missing))


def written(plan, template, name=""):
    path = plan.folder / template
    path.write_text(plan.filled(template, name))
    return path


def ran(*command):
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=path)
    return done.returncode, done.stdout + done.stderr


def test_haproxy_takes_its_configuration(installed):
    code, said = ran("haproxy", "-c", "-f", str(written(installed, "haproxy.cfg")))
    assert (code, re.findall("WARNING|ALERT", said)) == (0, []), said


def test_patroni_takes_its_configuration(installed):
    with ExitStack() as members:  # it looks whether every member of etcd can be reached
        for node in NODES:
            members.enter_context(socket.create_server((installed.address(node), 2379)))
        code, said = ran("patroni", "--validate-config", str(written(installed, "patroni.yml", "node2")))
    assert (code, said) == (0, "")


def test_etcd_takes_its_configuration(installed):
    """It has no option to look and not to start: a bad state is the last thing it complains of."""
    file = written(installed, "etcd.yml", "node1")
    file.write_text(file.read_text().replace("cluster-state: new", "cluster-state: none"))
    code, said = ran("etcd", "--config-file", str(file))
    assert (code, "unexpected clusterState" in said) == (1, True), said


def test_a_wrong_configuration_of_patroni_would_be_noticed(installed):
    file = written(installed, "patroni.yml", "node1")
    file.write_text(file.read_text().replace("connect_address", "connect_to"))
    code, said = ran("patroni", "--validate-config", str(file))
    assert code != 0
    assert "restapi.connect_address" in said


def test_nothing_is_acknowledged_before_a_second_node_has_it(plan):
    decided = yaml.safe_load(plan.filled("patroni.yml", "node1"))["bootstrap"]["dcs"]
    assert decided["synchronous_mode"] is True
    assert decided["ttl"] >= decided["loop_wait"] + 2 * decided["retry_timeout"]


def test_haproxy_knows_every_node_by_the_ports_it_listens_on(plan):
    proxied = plan.filled("haproxy.cfg")
    for name in NODES:
        node = yaml.safe_load(plan.filled("patroni.yml", name))
        rest_port = node["restapi"]["listen"].rpartition(":")[2]
        server = f"server {name} {node['postgresql']['listen']} check port {rest_port}"
        assert proxied.count(server) == 2, server


def test_every_node_asks_every_member_of_etcd(plan):
    members = {yaml.safe_load(plan.filled("etcd.yml", name))["advertise-client-urls"] for name in NODES}
    for name in NODES:
        hosts = yaml.safe_load(plan.filled("patroni.yml", name))["etcd"]["hosts"]
        assert {f"http://{host}" for host in hosts} == members
