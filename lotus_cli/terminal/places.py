"""What commands share about what is typed: kinds of values, options for home, branch and tape, texts of files.

Also the catalogue of segments and the beginning of a branch.
"""

import math
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from lotus.errors import ConfigError
from lotus.modules.intents import Module
from lotus.names import name_of_step
from lotus_cli.terminal.output import explained, json_option
from lotus_store.branch_settings import read_branch_settings, write_branch_settings
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.signals.segments import put_segment, segment_row
from lotus_store.logs import begin_logging
from lotus_store.tape.shards.plan import PLAN

if TYPE_CHECKING:
    from lotus_store.tape.segment import SegmentMeta
    from lotus_store.tape.store import TapeStore

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


FIRST_DAY, END_OF_DAYS = "1970-01-01", "9000-01-01"


class Day(click.ParamType[str]):
    """A UTC day in the form YYYY-MM-DD, from 1970 to 8999: a calendar's ends have no day before or after."""

    name = "day"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the day; another text is wrong usage."""
        try:
            is_day = date.fromisoformat(value).isoformat() == value and FIRST_DAY <= value < END_OF_DAYS
        except ValueError:
            is_day = False
        if not is_day:
            self.fail(f"found {value!r}; expected a day, YYYY-MM-DD, from 1970 to 8999", param, ctx)
        return value


class Finite(click.FloatRange):
    """A number within its range, which infinity and what is no number are not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; another text is wrong usage."""
        number: float = super().convert(value, param, ctx)
        return number if math.isfinite(number) else self.fail(f"found {value}; expected a number", param, ctx)


class SpeakerName(click.ParamType[str]):
    """Who speaks: a text of 1 to 128 characters, not blank."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name without blanks around it; another text is wrong usage."""
        text = str(value).strip()
        return (
            text if 1 <= len(text) <= 128 else self.fail(f"found {value!r}; expected 1 to 128 characters", param, ctx)
        )


DAY = Day()
NAME = SpeakerName()
PORT = click.IntRange(0, 65535)
SECONDS = Finite(0.0)
COUNT = click.IntRange(1)
WHOLE = click.IntRange(0)


def home_option(command: F) -> F:
    """Add --home (default: LOTUS_HOME, lotus.toml, ./.lotus)."""
    return click.option(
        "--home", type=click.Path(file_okay=False, readable=False), help="Where data lives (LOTUS_HOME)."
    )(command)


def tape_option(command: F) -> F:
    """Add --tape (default: LOTUS_TAPE, lotus.toml, "live")."""
    return click.option("--tape", help="Name of the tape (LOTUS_TAPE).")(command)


def branch_option(command: F) -> F:
    """Add --branch (default: LOTUS_BRANCH, lotus.toml, "main")."""
    return click.option("--branch", help="Line of history of events and beliefs (LOTUS_BRANCH).")(command)


def at_home(command: Callable[P, R]) -> Callable[P, R]:
    """Add --home and --json, and explain what the command refuses."""
    return home_option(json_option(explained(command)))


def at_branch(command: Callable[P, R]) -> Callable[P, R]:
    """Add --branch, --home and --json, and explain what the command refuses."""
    return branch_option(at_home(command))


module_option = click.option(
    "--module",
    type=click.Choice([module.value for module in Module if module is not Module.VIS]),
    default=Module.SIG.value,
    show_default=True,
    help="Whose: sig's detectors, dm's policy, tr's execution.",
)


def at_tape(command: Callable[P, R]) -> Callable[P, R]:
    """Add --tape, --home and --json, and explain what the command refuses."""
    return tape_option(at_home(command))


def settings_of(home: str | None, tape: str | None = None, branch: str | None = None) -> Settings:
    """Resolve settings from the options of a command, and begin to log as they say."""
    settings = load_settings(home=home, tape=tape, branch=branch)
    begin_logging(settings.logs)
    return settings


def settings_of_branch(home: str | None, tape: str | None = None, branch: str | None = None) -> Settings:
    """Resolve settings whose branch was scored; raises `ConfigError` for another one."""
    settings = settings_of(home, tape, branch)
    require_branch(settings)
    return settings


def require_branch(settings: Settings) -> None:
    """Refuse a branch that was never scored where others were; raises `ConfigError`, which names them."""
    branches = Lake(settings.lake_root).branches("signal_events")
    if branches and settings.branch not in branches:
        cause = "--branch (or LOTUS_BRANCH) is missing or wrong"
        raise ConfigError(f"branch {settings.branch} was never scored", f"one of {', '.join(branches)}", cause)


def require_tape(settings: Settings) -> None:
    """Refuse a tape that is not there where others are; raises `ConfigError`, which names them."""
    tapes = [
        name_of_step(place.name)
        for place in sorted(settings.tape_root.glob("*"))
        if any(place.glob("????-??-??")) or (place / PLAN).exists()
    ]
    if tapes and settings.tape not in tapes and not settings.segments_url:
        cause = "--tape (or LOTUS_TAPE) is missing or wrong"
        raise ConfigError(f"no tape {settings.tape}", f"one of {', '.join(tapes)}", cause)


def tape_of(settings: Settings) -> "TapeStore":
    """Return the tape that the settings name."""
    from lotus_store.tape.store import TapeStore

    return TapeStore(settings.home, settings.tape, settings.segments_url)


def catalogue(databases: Databases, segments: tuple["SegmentMeta", ...]) -> None:
    """List closed segments in the sig database; listing one again changes nothing."""
    with databases.connect("sig") as connection:
        for meta in segments:
            put_segment(connection, segment_row(meta))


def begin_branch(settings: Settings) -> Settings:
    """Return the settings of a branch; a new one other than main begins with the coins of its tape's header."""
    if settings.branch == "main" or read_branch_settings(settings.home, settings.branch):
        return settings
    coins = [{"name": a.name, "sz_decimals": a.sz_decimals} for a in tape_of(settings).header().assets]
    write_branch_settings(settings.home, settings.branch, {"universe": {"assets": coins}})
    return load_settings(home=settings.home, config=settings.config, tape=settings.tape, branch=settings.branch)
