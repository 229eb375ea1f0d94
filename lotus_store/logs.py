"""The log of a process: records on standard error, as lines for people or as JSON lines for programs.

`begin_logging` is called where a process begins, nowhere else; modules log through `logging.getLogger(__name__)`. What
a record is about stands in its `extra` fields (`plan_id`, `event_id`, `message_id`, `run_id`), which both forms show.
No line holds the password of an address. In the literature: structured logging.
"""

import json
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from lotus.errors import redacted
from lotus_store.settings.sections import LogSettings

_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})
_CONTROLS = (*range(32), *range(127, 160))  # escaped: no text may forge a line of its own
_ESCAPED = {code: f"\\x{code:02x}" for code in _CONTROLS} | {10: "\\n"}


def begin_logging(settings: LogSettings) -> None:
    """Send the records of this process to standard error; a second call replaces the first."""
    handler = StandardError()
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines(short=sys.stderr.isatty()))
    handler.addFilter(_is_told)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, StandardError)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.level.upper())


class StandardError(logging.Handler):
    """Writes to what standard error is at that moment, a terminal with a bar included."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; who logs goes on when a closed stream or a full disk takes none."""
        try:
            line = self.format(record)
        except (TypeError, ValueError, KeyError):
            self.handleError(record)
            return
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


class TextLines(logging.Formatter):
    """`2026-11-24T20:31:02Z WARNING lotus_desk.rebalancer TEXT name=value`; `short`: `rebalancer: TEXT name=value`."""

    def __init__(self, short: bool = False) -> None:
        super().__init__()
        self._short = short

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and below it the traceback of one that has an exception."""
        words = [record.getMessage(), *(f"{name}={value}" for name, value in extra_fields(record).items())]
        text = redacted(" ".join(words)).translate(_ESCAPED)
        if self._short:
            line = f"{record.name.rpartition('.')[2]}: {text}"
        else:
            line = f"{_time(record, 'seconds')} {record.levelname} {record.name} {text}"
        trace = _trace(record)
        return f"{line}\n{trace}" if trace else line


class JsonLines(logging.Formatter):
    """One JSON object a record: `time`, `level`, `logger`, `text`, its extra fields, and `trace` of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        members: dict[str, Any] = {
            "time": _time(record, "milliseconds"), "level": record.levelname, "logger": record.name,
            "text": redacted(record.getMessage()),
        }  # fmt: skip
        members |= {name: _plain(value) for name, value in extra_fields(record).items()}
        trace = _trace(record)
        return json.dumps(members | {"trace": trace} if trace else members)


def extra_fields(record: logging.LogRecord) -> Mapping[str, object]:
    """Return what a record was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _is_told(record: logging.LogRecord) -> bool:
    """Tell whether a record is ours, or a warning of a library; Dagster shows its own."""
    ours = record.name.startswith("lotus")
    return ours or (record.levelno >= logging.WARNING and not record.name.startswith("dagster"))


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float) or value is None else redacted(str(value))


def _time(record: logging.LogRecord, timespec: str) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def _trace(record: logging.LogRecord) -> str:
    return redacted(logging.Formatter().formatException(record.exc_info)) if record.exc_info else ""
