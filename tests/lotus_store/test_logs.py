"""Records on standard error: both forms, one line each, no password, and a stream that takes nothing ends nobody."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lotus_store.logs import StandardError, begin_logging
from lotus_store.settings.sections import LogSettings

LOGGER = logging.getLogger("lotus_desk.execution.desk")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    """Leave the root logger as it was."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if isinstance(handler, StandardError)]:
        root.removeHandler(handler)


def test_a_line_tells_time_level_module_text_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(LogSettings())
    LOGGER.warning("%s of a plan", "alarm", extra={"plan_id": "p1", "event_id": "e1"})
    LOGGER.debug("not told")
    line = capsys.readouterr().err
    assert re.fullmatch(
        TIME + r" WARNING lotus_desk\.execution\.desk alarm of a plan plan_id=p1 event_id=e1\n", line
    ), line


def test_at_a_terminal_a_line_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    begin_logging(LogSettings())
    LOGGER.error("it broke", extra={"plan_id": "p1"})
    assert screen.getvalue() == "desk: it broke plan_id=p1\n"


def test_json_is_an_object_a_line_with_ids_and_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(LogSettings("json"))
    try:
        raise RuntimeError("a\nbug")
    except RuntimeError as error:
        LOGGER.error("it broke: %r", error, exc_info=error, extra={"message_id": "m1", "seq": 7})
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert re.fullmatch(TIME, told.pop("time"))
    assert "RuntimeError" in told.pop("trace")
    assert told == {
        "level": "ERROR", "logger": "lotus_desk.execution.desk", "text": "it broke: RuntimeError('a\\nbug')",
        "message_id": "m1", "seq": 7,
    }  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_password_is_told(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(LogSettings(form))
    address = "postgresql://lotus:SECRET@host/x"
    try:
        raise RuntimeError(f"no answer of {address}")
    except RuntimeError as error:
        LOGGER.error("%s; password=SECRET", address, exc_info=error, extra={"place": address})
    told = capsys.readouterr().err
    assert "SECRET" not in told
    assert told.count("lotus:***@host") == 3


def test_no_text_forges_a_line_or_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(LogSettings())
    LOGGER.warning("found %s", "x\n2026-01-01T00:00:00Z INFO lotus all is well\x1b[2J\r")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.endswith(r"found x\n2026-01-01T00:00:00Z INFO lotus all is well\x1b[2J\x0d" + "\n")


def test_the_level_holds_for_ours_and_warnings_of_libraries_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    begin_logging(LogSettings(level="error"))
    begin_logging(LogSettings(level="debug"))
    for name in ("lotus", "lotus_store.lake", "a_library", "dagster"):
        logging.getLogger(name).warning("heard of %s", name)
        logging.getLogger(name).info("not of libraries: %s", name)
    told = capsys.readouterr().err
    assert re.findall(r"heard of (\w+)", told) == ["lotus", "lotus_store", "a_library"]
    assert re.findall(r"libraries: (\w+)", told) == ["lotus", "lotus_store"]


def test_who_logs_goes_on_where_the_stream_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    begin_logging(LogSettings())
    closed = io.StringIO()
    closed.close()
    told = 0
    with suppress(OSError), Path("/dev/full").open("w") as full:  # what waits in it is refused when it is closed
        for stream in (full, closed):
            monkeypatch.setattr(sys, "stderr", stream)
            LOGGER.error("on a disk that is full, then on a stream that is closed")
            monkeypatch.undo()
            told += 1
    assert told == 2
