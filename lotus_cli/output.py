"""How every command speaks: one JSON object or readable lines on standard output, progress and errors on the other.

Exit codes: 0 done; 1 the thing checked does not hold (parity, tape, schema); 2 wrong usage; 3 an error that Lotus
explains (what was found, what was expected, the likely cause); 4 done, but more than 1 % of a tape's lines cannot be
used; 130 interrupted.
"""

import errno
import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from lotus.errors import LotusError
from lotus.timebase import next_day

P = ParamSpec("P")
R = TypeVar("R")

CHECK_FAILED, EXPLAINED_ERROR, LINES_LOST, INTERRUPTED = 1, 3, 4, 130
MAX_LOST = 0.01  # share of the lines of a tape that may be put aside before a command says that something is wrong

REFUSED_BY_MACHINE = frozenset({
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO,
})  # fmt: skip
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
TAKEN = "likely cause: another server runs there (--port 0 takes any free one)"
LIKELY = "likely cause: a disk that is full, failing or read-only, or a limit of this process (ulimit -a)"


def explained(command: Callable[P, R]) -> Callable[P, R]:
    """Turn a `LotusError`, and what the machine refuses, into a message on standard error and exit code 3.

    Ctrl-C is exit code 130.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except LotusError as error:
            click.echo(f"lotus: {type(error).__name__}: {error}", err=True)
            raise SystemExit(EXPLAINED_ERROR) from error
        except (OSError, MemoryError, ImportError) as error:
            tell_refusal(error)
        except KeyboardInterrupt as error:
            tell_interrupted(error)

    return run


def tell_interrupted(error: KeyboardInterrupt) -> NoReturn:
    """Say that Ctrl-C ended the command, and leave with exit code 130."""
    click.echo("lotus: interrupted", err=True)
    raise SystemExit(INTERRUPTED) from error


def tell_refusal(error: OSError | MemoryError | ImportError) -> NoReturn:
    """Say what the machine refused and leave with exit code 3; any other error is raised again.

    A library that cannot be mapped into memory is an `ImportError`, or an `OSError` without a number.
    """
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        click.echo(f"lotus: {error.strerror}; expected: a free port; {TAKEN}", err=True)
        raise SystemExit(EXPLAINED_ERROR) from error
    known = isinstance(error, MemoryError) or "shared object" in str(error)
    if not known and not (isinstance(error, OSError) and error.errno in REFUSED_BY_MACHINE):
        raise error
    click.echo(f"lotus: the machine refused: {str(error) or 'no memory'}; {LIKELY}", err=True)
    raise SystemExit(EXPLAINED_ERROR) from error


def clock(time_ms: int) -> str:
    """Return a time (ms UTC) as text, "never" beyond the year 3000."""
    if time_ms > 32_503_680_000_000:
        return "never"
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def emit(result: Mapping[str, Any], as_json: bool, text: str | None = None) -> None:
    """Print a result: as one JSON object (NaN and infinity are null), or as `text`, or as aligned key-value lines."""
    if as_json:
        click.echo(json.dumps(plain(result), default=str, allow_nan=False))
    elif text is not None:
        click.echo(text)
    else:
        width = max((len(k) for k in result), default=0)
        for key, value in result.items():
            click.echo(f"{key:<{width}}  {shown(value)}".rstrip())


def shown(value: Any) -> str:
    """Return a value as one line reads it: no brackets and quotes of Python; lists of objects are counted.

    Days in a row are a range.
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        if any(isinstance(inner, Mapping) for inner in value):
            return f"{len(value)} (listed by --json)"
        if value and all(isinstance(inner, str) and _DAY.fullmatch(inner) for inner in value):
            return day_ranges(value)
        return ", ".join(shown(inner) for inner in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value)


def day_ranges(days: Iterable[str]) -> str:
    """Return days as text, those in a row as a range; a dash for none.

    >>> day_ranges(["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-09"])
    '2026-01-05 to 2026-01-07, 2026-01-09'
    """
    runs: list[list[str]] = []
    for day in sorted(days):
        if runs and next_day(runs[-1][-1]) == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs) or "-"


def tell_losses(lines: int, put_aside: Mapping[str, int]) -> int:
    """Say on standard error how many lines of a tape cannot be used, and why; return the exit code.

    It is `LINES_LOST` when more than one line in a hundred is lost.
    """
    lost = sum(put_aside.values())
    if not lost:
        return 0
    many = lost > MAX_LOST * lines
    reasons = ", ".join(f"{name} {count:,}" for name, count in sorted(put_aside.items(), key=lambda x: (-x[1], x[0])))
    text = f"lotus: put aside {lost:,} of {lines:,} lines ({lost / lines:.1%}): {reasons}"
    click.echo(text + (f"; expected: at most {MAX_LOST:.0%}; lotus verify tape shows them" if many else ""), err=True)
    return LINES_LOST if many else 0


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: what is not a finite number becomes None, at any depth."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
