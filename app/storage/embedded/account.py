"""The account that PostgreSQL runs under: the present user, or an existing unprivileged one where that is root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.storage.embedded.errors import CannotStart

UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")


class Identity(TypedDict, total=False):
    """The arguments of ``subprocess.Popen`` that change the user; empty for the present one."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """One passwd entry, and what has to be done to act as it."""

    name: str
    uid: int
    gid: int

    @property
    def identity(self) -> Identity:
        """Return what `subprocess.Popen` needs to run a program as this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, target: int | Path) -> None:
        """Give an open file or a folder to this account."""
        if self.uid != os.geteuid():
            os.chown(target, self.uid, self.gid, follow_symlinks=isinstance(target, int))

    def reaches(self, path: Path) -> bool:
        """Tell whether this account may enter the folder, or run the file; asked as that account."""
        if not self.identity:
            return os.access(path, os.X_OK)
        command = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
        try:
            asked = subprocess.run(command, cwd="/", check=False, **self.identity)  # noqa: S603 - no input in it
        except OSError as error:
            raise CannotStart(
                f"PostgreSQL does not run as root, and root may not become '{self.name}' here ({error.strerror}): "
                "start Groundhog as an ordinary user, or set DATABASE_URL."
            ) from error
        return asked.returncode == 0


def server_account(data: Path) -> Account:
    """Return who runs the server: the account that owns the data, else the present user or an unprivileged one."""
    if os.geteuid() != 0:
        return _present_user()
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return _by_uid(owner)
    for name in UNPRIVILEGED_ACCOUNTS:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise CannotStart(
        "PostgreSQL does not run as root, and this machine has neither an account 'postgres' nor 'nobody': "
        "start Groundhog as an ordinary user, or set DATABASE_URL."
    )


def _present_user() -> Account:
    return _by_uid(os.geteuid())


def _by_uid(uid: int) -> Account:
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        raise CannotStart(
            f"User id {uid} has no entry in /etc/passwd, which PostgreSQL needs: "
            "start Groundhog as a named user, or set DATABASE_URL."
        ) from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
