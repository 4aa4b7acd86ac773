"""Three machines on addresses of the loopback, each with etcd, Patroni and PostgreSQL, and haproxy before them."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from app.storage.embedded.account import Account, server_account
from deploy.ha.configuration import NODES, Plan, free_network
from deploy.ha.programs import Program, family, postgresql

PATIENCE = 120
"""Seconds until a cluster has to be whole."""


class Machine:
    """What stands on one machine: a member of etcd, Patroni, and the PostgreSQL that Patroni starts."""

    def __init__(self, name: str, plan: Plan, account: Account) -> None:
        self.name, self._plan, self._account = name, plan, account
        self._folder = plan.data(name)
        self._folder.mkdir(mode=0o700)
        for template in ("etcd.yml", "patroni.yml"):
            (self._folder / template).write_text(plan.filled(template, name))
            account.own(self._folder / template)
        account.own(self._folder)
        self._programs: list[Program] = []

    def start(self) -> None:
        """Start it; safe to repeat after it was killed."""
        for command in (["etcd", "--config-file"], ["patroni"]):
            file = self._folder / f"{command[0]}.yml"
            self._programs.append(
                Program([*command, file], self._account, self._folder / f"{command[0]}.log")
            )

    @property
    def _postgres(self) -> list[int]:
        """Return the processes of PostgreSQL, which are not Patroni's children."""
        with suppress(OSError, ValueError):
            return family(int((self._folder / "postgresql/postmaster.pid").read_text().split("\n", 1)[0]))
        return []

    def kill_postgres(self) -> None:
        """Kill -9 PostgreSQL alone: a crash."""
        _send(signal.SIGKILL, self._postgres[:1])

    def kill(self) -> None:
        """Kill -9 everything: power off."""
        _send(signal.SIGKILL, self._everything)
        for program in self._programs:
            program.wait()
        self._programs = []

    def freeze(self) -> None:
        """Stop everything where it stands: it answers nobody, and does not know it."""
        _send(signal.SIGSTOP, self._everything)

    def thaw(self) -> None:
        """Let everything continue, as if no time had passed."""
        _send(signal.SIGCONT, self._everything)

    @property
    def _everything(self) -> list[int]:
        return [*self._postgres, *(pid for program in self._programs for pid in program.pids)]

    def check(self) -> None:
        """Complain if a program has ended that nobody killed."""
        for program in self._programs:
            assert program.running, program.last_words


class Cluster:
    """The three machines, and the proxy that knows which of them is the primary."""

    def __init__(self, plan: Plan, account: Account) -> None:
        self.plan = plan
        self.machines = {name: Machine(name, plan, account) for name in NODES}
        file = plan.folder / "haproxy.cfg"
        file.write_text(plan.filled("haproxy.cfg"))
        for machine in self.machines.values():
            machine.start()
        self._proxy = Program(["haproxy", "-db", "-f", file], account, plan.folder / "haproxy.log")

    @property
    def url(self) -> str:
        """Return what DATABASE_URL is for a service: the primary, through haproxy."""
        return f"postgresql://groundhog:{self.plan.passwords.service}@{self.plan.proxy}:5000/groundhog"

    @property
    def replicas_url(self) -> str:
        """Return the same database on a standby, for reading."""
        return self.url.replace(":5000/", ":5001/")

    @property
    def roles(self) -> dict[str, str]:
        """Return the role of each node that runs, as Patroni's first answering node tells it."""
        for name in NODES:
            with suppress(OSError, ValueError):
                address = f"http://{self.plan.address(name)}:8008/cluster"
                with urllib.request.urlopen(address, timeout=2) as answer:
                    members = json.load(answer)["members"]
                return {member["name"]: member["role"] for member in members if _works(member)}
        return {}

    @property
    def primary(self) -> Machine | None:
        """Return the machine whose PostgreSQL takes writes, or None while there is none."""
        leaders = [name for name, role in self.roles.items() if role == "leader"]
        return self.machines[leaders[0]] if leaders else None

    @property
    def whole(self) -> bool:
        """Tell whether there are a primary, a synchronous standby and another one."""
        return sorted(self.roles.values()) == ["leader", "replica", "sync_standby"]

    def wait_until(self, state: Callable[[], bool]) -> None:
        """Wait for a state of the cluster."""
        give_up = time.monotonic() + PATIENCE
        while not state():
            for machine in self.machines.values():
                machine.check()
            if time.monotonic() > give_up:
                raise TimeoutError(f"the cluster is {self.roles or 'silent'} after {PATIENCE} s")
            time.sleep(0.2)

    def make_database(self) -> None:
        """Make the service's role and database, as one does once on a new cluster."""
        superuser = self.url.replace("groundhog", "postgres").replace(
            self.plan.passwords.service, self.plan.passwords.superuser
        )
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(
                f"create role groundhog login password '{self.plan.passwords.service}'".encode()
            )
            connection.execute("create database groundhog owner groundhog")

    def stop(self) -> None:
        """End everything at once; what it has stored was never meant to stay."""
        self._proxy.stop()
        for machine in self.machines.values():
            machine.kill()


def _works(member: dict[str, str]) -> bool:
    return member["state"] in ("running", "streaming")


def _send(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a cluster with an empty database for the service, for as long as the block.

    Raises
    ------
    Missing: one of the programs is not installed
    """
    programs = postgresql()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="gh-ha-")))
        account = server_account(folder / "none")
        folder.chmod(0o711)
        made = Cluster(Plan(free_network(), programs, folder), account)
        opened.callback(made.stop)
        made.wait_until(lambda: made.whole)
        made.make_database()
        yield made
