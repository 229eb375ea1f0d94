"""How every command speaks: one JSON object or readable lines on standard output, progress and errors on the other.

Exit codes: 0 done; 1 the thing checked does not hold (parity, tape, schema); 2 wrong usage; 3 an error that Lotus
explains (what was found, what was expected, the likely cause); 4 done, but more than 1 % of a tape's lines cannot be
used; 130 interrupted; 141 nobody reads the output any more (as in `lotus pnl | head -1`).
"""

import errno
import functools
import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from lotus.errors import LotusError
from lotus_cli.terminal.interrupts import interruptible
from lotus_store.facts.words import clock, day_ranges
from lotus_store.json_values import plain

P = ParamSpec("P")
R = TypeVar("R")

CHECK_FAILED, EXPLAINED_ERROR, LINES_LOST, INTERRUPTED, UNREAD = 1, 3, 4, 130, 141
EPOCH_MS = 10**12  # 2001: a number above it whose name ends with _ms is a time of day, one below a duration
MAX_LOST = 0.01  # share of the lines of a tape that may be put aside before a command says that something is wrong

REFUSED_BY_MACHINE = frozenset({
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO,
})  # fmt: skip
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
TAKEN = "likely cause: another server runs there (--port 0 takes any free one); below 1024 only root may"
LIKELY = "likely cause: a disk that is full, failing or read-only, or a limit of this process (ulimit -a)"
RIGHTS = "a place of this user's own", "it belongs to another user, or its rights forbid it (ls -ld shows them)"
PLACE = (
    "another path",
    "a wrong name, a file in the place of a folder or the reverse, or what is gone by now",
)
OF_A_PORT = (errno.EADDRINUSE, errno.EACCES)
OF_A_PATH = {errno.EACCES: RIGHTS, errno.EPERM: RIGHTS} | dict.fromkeys(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP), PLACE
)


def explained(command: Callable[P, R]) -> Callable[P, R]:
    """Turn a `LotusError`, and what the machine refuses, into a message on standard error and exit code 3.

    Ctrl-C is exit code 130, and 141 that nobody reads standard output any more.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with interruptible():
                return command(*args, **kwargs)
        except KeyboardInterrupt as error:
            tell_interrupted(error)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except Exception as error:
            if _of_an_interrupt(error):
                tell_interrupted(error)
            tell_refusal(error)

    return run


def tell_interrupted(error: BaseException) -> NoReturn:
    """Say that Ctrl-C ended the command, and leave with exit code 130."""
    click.echo("lotus: interrupted", err=True)
    raise SystemExit(INTERRUPTED) from error


def tell_refusal(error: Exception) -> NoReturn:
    """Say what is wrong, or what the machine refused, and leave with exit code 3; any other error is raised again.

    A library that cannot be mapped into memory is an `ImportError`, or an `OSError` without a number.
    """
    if isinstance(error, BrokenPipeError):
        _nobody_reads(error)
    if isinstance(error, LotusError):
        text = str(error)
    elif isinstance(error, click.Abort):
        text = "no answer was given; expected: a line typed at the prompt; likely cause: standard input is closed"
    elif isinstance(error, OSError) and error.errno in OF_A_PORT and error.filename is None:
        text = f"{error.strerror}; expected: a free port; {TAKEN}"
    elif isinstance(error, OSError) and error.errno in OF_A_PATH and error.filename is not None:
        expected, cause = OF_A_PATH[error.errno]
        text = f"{error.strerror}: {error.filename}; expected: {expected}; likely cause: {cause}"
    elif _has_no_room(error):
        text = (
            f"the database refused: {str(error).splitlines()[0]}; expected: room on its disk; likely cause: it is full"
        )
    elif _of_the_machine(error):
        text = f"the machine refused: {str(error) or 'no memory'}; {LIKELY}"
    else:
        raise error
    click.echo(f"lotus: {text}", err=True)
    raise SystemExit(EXPLAINED_ERROR) from error


def _of_the_machine(error: Exception) -> bool:
    """Whether memory, disk or a limit was refused, to a library that was to be loaded too."""
    if isinstance(error, OSError) and error.errno in REFUSED_BY_MACHINE:
        return True
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError | ImportError) and "shared object" in str(error)
    )


def _has_no_room(error: Exception) -> bool:
    """Whether PostgreSQL had no disk, memory or connection left (class 53 of its errors); nothing was written."""
    return str(getattr(error, "sqlstate", None) or "").startswith("53")


def _nobody_reads(error: BrokenPipeError) -> NoReturn:
    """Leave in silence, as programs do whose reader (`head`, say) has gone; what is still buffered goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise SystemExit(UNREAD) from error


def _of_an_interrupt(error: BaseException) -> bool:
    """Whether an error came of Ctrl-C, which a library has turned into one of its own."""
    before = error.__cause__ or error.__context__
    return before is not None and (isinstance(before, KeyboardInterrupt) or _of_an_interrupt(before))


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def emit(result: Mapping[str, Any], as_json: bool, text: str | None = None) -> None:
    """Print a result: as one JSON object (NaN and infinity are null), or as `text`, or as aligned key-value lines."""
    if as_json:
        click.echo(json.dumps(plain(result), default=str, allow_nan=False))
    elif text is not None:
        click.echo(text)
    else:
        lines = [_named(key, value) for key, value in result.items()]
        width = max((len(name) for name, _ in lines), default=0)
        for name, text_of_value in lines:
            click.echo(f"{name:<{width}}  {text_of_value}".rstrip())


def _named(key: str, value: Any) -> tuple[str, str]:
    """Return how a value is called and read; a time since 1970 in ms or ns (by its name and size) as a time of day."""
    name, _, unit = key.rpartition("_")
    parts = {"ms": 1, "ns": 1_000_000}.get(unit, 0)
    if parts and isinstance(value, int) and value // parts > EPOCH_MS:
        return name, clock(value // parts)
    return key, shown(value)


def shown(value: Any) -> str:
    """Return a value as one line reads it: no brackets and quotes of Python; lists of objects are counted.

    Days in a row are a range.
    """
    if isinstance(value, Mapping):
        return ", ".join(" ".join(_named(str(key), inner)) for key, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        if any(isinstance(inner, Mapping) for inner in value):
            return f"{len(value)} (listed by --json)"
        if value and all(isinstance(inner, str) and _DAY.fullmatch(inner) for inner in value):
            return day_ranges(value)
        return ", ".join(shown(inner) for inner in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(round(value, 6) if isinstance(value, float) else value)


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
