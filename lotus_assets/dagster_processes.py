"""Dagster's three processes of a home: the code server, the web server and the daemon, and in which order they begin.

The two servers are started before Dagster's tables are there and before this process has imported Dagster: they import
what they need side by side and wait at gates (`lotus_resources.gate`). The daemon begins when the pages answer. What is
served is `definitions`.
"""

import json
import sys
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import lotus_assets
from lotus_resources.gate import command
from lotus_resources.pages import NAME_ENV, TOKEN_ENV
from lotus_resources.processes import Processes
from lotus_store.files import write_bytes

MODULE = "lotus_assets.definitions"
LOCATION = "lotus"
NAMED = ("--location-name", LOCATION, "-n", "8")
CODE = Path(lotus_assets.__file__).parents[1]  # else Dagster imports from the folder of the command
LONGEST_SOCKET = 90
READY_S = 120.0
LOADED_QUERY = (
    "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }"
)
PYTHON = (sys.executable, "-P", "-m")


@dataclass(frozen=True, slots=True)
class DagsterProcesses:
    """The processes of one `lotus up`.

    `environment`: of all of them; `folder`: Dagster's in the home; `short`: a new folder whose path is short;
    `name`: the home's own, by which browsers ask for the pages.
    """

    children: Processes
    environment: Mapping[str, str]
    folder: Path
    short: Path
    port: int
    token: str
    name: str

    @property
    def url(self) -> str:
        """Address of the pages."""
        return f"http://127.0.0.1:{self.port}"

    def begin(self, days: Mapping[str, str]) -> None:
        """Start both servers, which import and then wait; `days` is the environment that names the days shown."""
        self._workspace.unlink(missing_ok=True)
        self._start_code(days)
        web = ["lotus_resources.pages", "-h", "127.0.0.1", "-p", str(self.port), "-w", str(self._workspace)]
        own = {TOKEN_ENV: self.token, NAME_ENV: self.name}
        self._start("webserver", command(self._workspace, ("dagster_webserver.cli",), web), {**days, **own})

    def open_pages(self, stopped: Callable[[], bool]) -> None:
        """Let the servers begin, now that Dagster's tables are there; return when the pages answer or it is stopped.

        Raises `ProcessError` when one of them ends or is not ready in time.
        """
        self._tables.touch()
        self.children.wait_ready("code_server", Path(self._socket).exists, READY_S)
        served = {"host": "localhost", "socket": self._socket, "location_name": LOCATION}
        write_bytes(self._workspace, json.dumps({"load_from": [{"grpc_server": served}]}).encode())
        self.children.wait_ready("webserver", lambda: stopped() or _loaded(self.url, self.token), READY_S)

    def start_daemon(self, days: Mapping[str, str]) -> None:
        """Start Dagster's daemon: schedules, sensors and the queue of runs."""
        from lotus_resources.dagster_internals import daemon_command

        self._start("daemon", daemon_command(self._workspace), days)

    def begin_anew(self, days: Mapping[str, str]) -> None:
        """Start the code server again with other days."""
        self.children.end("code_server")
        self._start_code(days)
        self.children.wait_ready("code_server", Path(self._socket).exists, READY_S)

    def _start_code(self, days: Mapping[str, str]) -> None:
        Path(self._socket).unlink(missing_ok=True)
        code = ["dagster", "api", "grpc", "-s", self._socket, "-m", MODULE, "-d", str(CODE), *NAMED]
        self._start("code_server", command(self._tables, ("dagster", MODULE), code), days)

    def _start(self, name: str, words: list[str], more: Mapping[str, str]) -> None:
        self.children.start(name, [*PYTHON, *words], {**self.environment, **more})

    @property
    def _workspace(self) -> Path:
        return self.folder / "workspace.json"  # YAML, too

    @property
    def _tables(self) -> Path:
        return self.short / "tables"

    @property
    def _socket(self) -> str:
        """A path that the kernel takes (107 characters): in the home, else in a temporary folder."""
        place = self.folder / "code.sock"
        return str(place if len(str(place)) <= LONGEST_SOCKET else self.short / "code.sock")


def _loaded(url: str, token: str) -> bool:
    """Tell whether the web server answers and has loaded the code location without an error."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    query = urllib.request.Request(f"{url}/graphql", json.dumps({"query": LOADED_QUERY}).encode(), headers)
    with suppress(OSError, ValueError, KeyError, TypeError), urllib.request.urlopen(query, timeout=5) as answer:
        entries = json.load(answer)["data"]["workspaceOrError"]["locationEntries"]
        kinds = [e["locationOrLoadError"]["__typename"] for e in entries if e["loadStatus"] == "LOADED"]
        return bool(kinds) and set(kinds) == {"RepositoryLocation"}
    return False
