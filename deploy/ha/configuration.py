"""The templates beside this file, filled in for three machines: here, addresses of the loopback."""

import random
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).parent
NODES = ("node1", "node2", "node3")
PORTS = (2379, 2380, 5000, 5001, 5432, 8008)
"""Every machine's own, so that the templates hold the usual ones."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """The secrets of one cluster."""

    superuser: str = field(default_factory=lambda: secrets.token_hex(16))
    replication: str = field(default_factory=lambda: secrets.token_hex(16))
    rewind: str = field(default_factory=lambda: secrets.token_hex(16))
    service: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything of a cluster lies."""

    network: str
    programs: Path
    folder: Path
    passwords: Passwords = field(default_factory=Passwords)

    @property
    def proxy(self) -> str:
        """Return the address that haproxy listens on."""
        return f"{self.network}.10"

    def address(self, name: str) -> str:
        """Return the address of a node's machine."""
        return f"{self.network}.1{name.removeprefix('node')}"

    def data(self, name: str) -> Path:
        """Return the folder that a node keeps its data in."""
        return self.folder / name

    def filled(self, template: str, name: str = "") -> str:
        """Return a configuration file of a node, or of haproxy."""
        return Template((TEMPLATES / template).read_text()).substitute(
            {node: self.address(node) for node in NODES},
            name=name,
            address=self.address(name),
            data=self.data(name),
            proxy=self.proxy,
            network="127.0.0.0/8",
            programs=self.programs,
            superuser_password=self.passwords.superuser,
            replication_password=self.passwords.replication,
            rewind_password=self.passwords.rewind,
        )


def free_network() -> str:
    """Return the beginning of loopback addresses on which nobody listens on one of our ports."""
    while True:
        network = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
        if all(_free(f"{network}.1{last}", port) for last in range(4) for port in PORTS):
            return network


def _free(address: str, port: int) -> bool:
    try:
        socket.create_server((address, port)).close()
    except OSError:
        return False
    return True
