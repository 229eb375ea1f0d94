"""A question in a process of its own: for servers, which one question must neither stop nor fill.

`Asker` keeps one process ready, so that a question does not wait for a start; each process answers one question and
ends. What is beyond its time or memory is ended from outside. Rows are handed over as an Arrow stream.
(Literature: process pool with recycling, bulkhead.)
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, TextIO

import pyarrow as pa

from lotus.errors import LotusError, QueryError
from lotus_store.config import Settings, load_settings
from lotus_store.views.bounds import ENDED, GRACE_S, Bounds, bounded_process
from lotus_store.views.session import Page, Views

REFUSED, OVERTIME = 3, 4
SPARE_S = 30.0  # for its start; after that a process that did not end by itself is killed
MORE = b"more"
MODULE = "lotus_store.views.apart"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a page, an Arrow table, and whether there are more."""

    table: Any
    more: bool


class Asker(AbstractContextManager["Asker"]):
    """Asks questions to one home, each in a process of its own; several threads may ask at once."""

    def __init__(self, settings: Settings, bounds: Bounds | None = None) -> None:
        """Start the first process; home, file of settings, tape and branch are those of `settings`."""
        place = {"home": settings.home, "config": settings.config, "tape": settings.tape, "branch": settings.branch}
        self._place = {name: str(value) for name, value in place.items() if value is not None}
        self._bounds = bounds or Bounds()
        self._gate = threading.Lock()
        self._ready: subprocess.Popen[bytes] | None = _started()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process that waits."""
        with self._gate:
            ready, self._ready = self._ready, None
        if ready is not None:
            ready.kill()
            ready.communicate()

    def ask(self, text: str, parameters: Mapping[str, Any] | None = None, page: Page | None = None) -> Rows:
        """Return the rows of one SELECT; parameters are texts, numbers, flags or None.

        Raises `QueryError` for what may not be asked, cannot be computed, or takes more time or memory than it may.
        """
        with self._gate:
            process, self._ready = self._ready or _started(), None
        order = {
            "place": self._place,
            "bounds": asdict(self._bounds),
            "text": text,
            "parameters": dict(parameters or {}),
        }
        order |= {"page": asdict(page or Page())}
        try:
            out, errors = process.communicate(_written(order), self._bounds.seconds + GRACE_S + SPARE_S)
        except subprocess.TimeoutExpired:
            _overtime(self._bounds)
        finally:
            process.kill()  # does nothing to one that has ended
            process.communicate()
            self._prepare()
        return _rows(process.returncode, out, errors, self._bounds)

    def _prepare(self) -> None:
        with self._gate:
            if self._ready is None:
                self._ready = _started()


def _started() -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    pipe = subprocess.PIPE
    words = [sys.executable, "-P", "-m", MODULE]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": path}, stdin=pipe, stdout=pipe, stderr=pipe)


def _written(order: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(order).encode()
    except (TypeError, ValueError) as problem:
        raise QueryError(f"a parameter cannot be handed over: {problem}", "texts, numbers, flags or None") from None


def _rows(code: int, out: bytes, errors: bytes, bounds: Bounds) -> Rows:
    if code == REFUSED:
        found, expected, cause = json.loads(errors.decode().splitlines()[-1])
        raise QueryError(found, expected, cause)
    if code == OVERTIME:
        _overtime(bounds)
    if code != 0:
        cause = "more memory than it may take, or the machine ended it"
        raise QueryError(f"the process of the question ended with {code}", "an answer", cause)
    with pa.ipc.open_stream(out) as reader:
        table = reader.read_all()
    return Rows(table.replace_schema_metadata(None), (table.schema.metadata or {}).get(MORE) == b"1")


def _overtime(bounds: Bounds) -> NoReturn:
    found, expected, cause = ENDED
    raise QueryError(found.format(seconds=bounds.seconds), expected, cause)


def main(orders: TextIO, rows: BinaryIO, errors: TextIO) -> None:
    """Answer the question that is handed over."""
    written = orders.read()
    if not written:  # whoever started it has ended, or had no question
        return
    order = json.loads(written)
    bounds = Bounds(**order["bounds"])
    try:
        with Views(load_settings(**order["place"]), bounds) as views, bounded_process(bounds, _end):
            answer = views.ask(order["text"], order["parameters"], Page(**order["page"]))
            table = answer.table().replace_schema_metadata({MORE: b"1" if answer.more else b"0"})
    except LotusError as problem:
        errors.write(json.dumps([problem.found, problem.expected, problem.cause]) + "\n")
        raise SystemExit(REFUSED) from None
    with suppress(BrokenPipeError), pa.ipc.new_stream(rows, table.schema) as writer:
        writer.write_table(table)


def _end() -> None:
    os._exit(OVERTIME)


if __name__ == "__main__":
    main(sys.stdin, sys.stdout.buffer, sys.stderr)
