"""The demo of the tests, run once for all workers: the home in which it ran, and a copy of it that a test may alter.

A file beside the workers' folders says what is there; a lock on it keeps one from running the demo while another does.
A home is copied while its server is down.
"""

import fcntl
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from small_home import TOML, Cli, Facts, one_object
from warm import hurry

from lotus_store.postgres.embedded import embedded


def empty_home() -> Path:
    """Return a new home with the settings of the small world."""
    home = Path(tempfile.mkdtemp(prefix="lotus-cli-"))
    home.chmod(0o755)
    (home / "lotus.toml").write_text(TOML)
    return home


class DemoRuns:
    """Homes in which the demo has run and that nobody took yet."""

    def __init__(self, shared: Path) -> None:
        """Take the folder that all workers share."""
        self._file = shared / "demo-homes.json"

    def take(self, copy: bool) -> tuple[Path, Facts]:
        """Return the home in which the demo ran, or the copy, and what the demo said; it runs where none is left."""
        with self._listed() as homes:
            name = "copy" if copy else "own"
            if name not in homes:
                for left in homes.values():
                    shutil.rmtree(left["home"])
                homes.update(run_demo())
            found = homes.pop(name)
            return Path(found["home"]), found["facts"]

    def clear(self) -> None:
        """Remove what nobody took."""
        with self._listed() as homes:
            while homes:
                shutil.rmtree(homes.popitem()[1]["home"])

    @contextmanager
    def _listed(self) -> Iterator[dict[str, Facts]]:
        with self._file.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            homes: dict[str, Facts] = json.loads(file.read() or "{}")
            yield homes
            file.truncate(0)
            file.write(json.dumps(homes))


def run_demo() -> dict[str, Facts]:
    """Run the demo in a new home and copy it; return both with what it said."""
    home, copy = empty_home(), Path(tempfile.mkdtemp(prefix="lotus-cli-"))
    with embedded(home) as server:
        hurry(server.server_dsn)
        facts = one_object(Cli(home).demo("--json").stdout)
    copy.chmod(0o755)
    subprocess.run(["cp", "-a", f"{home}/.", copy], check=True)
    return {name: {"home": str(place), "facts": facts} for name, place in (("own", home), ("copy", copy))}
