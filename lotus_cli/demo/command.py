"""`lotus demo`: a world whose truth is known, from tape to live priors, and one honest page about it.

Only the order of the steps stands here; what is measured is in `facts`, how it reads in `page`.
"""

import dataclasses
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from lotus.names import path_step
from lotus.simulation.lessons import WORLDS, style_of
from lotus.simulation.spec import FULL_DAY, VENUE, WorldSpec
from lotus.simulation.world import World
from lotus_assets.tape_process import Simulated, TapeProcess, tape_process
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import WHOLE, at_home, settings_of
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_store.branch_settings import Document, merged, write_branch_settings
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Databases

HORIZONS_S = (30, 300, 900)  # a session of 90 minutes leaves no room for one hour
BUDGET_DAYS = 14
STYLE_DAYS = 20  # in which the trader's third analysis, of night 18, acts for two days
TRIED_STYLES = (0.4, 0.05)  # shares of the probes that join, that improve, where a style is planted
CLIMBING_DAYS = 42  # in which lessons of nightly runs are found, earn every level and act at the highest for a week


@dataclass(frozen=True, slots=True)
class Faculties:
    """What is off unless a demo asks for it: coins or segments as context of rules, compositions across modules."""

    coins: bool = False
    compose: bool = False
    segments: bool = False

    @property
    def sections(self) -> Document:
        """Settings of a branch that has them."""
        places = {"asset_context": self.coins, "segment_context": self.segments}
        learning = {name: True for name, is_on in places.items() if is_on}
        context: Document = {"learning": learning} if learning else {}
        return {**context, "trading": {"compose_styles": True}} if self.compose else context

    @property
    def suffix(self) -> str:
        """What a branch that has them is named by."""
        return "-coins" * self.coins + "-segments" * self.segments + "-compose" * self.compose


NO_FACULTIES = Faculties()


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """One demo: its world, its settings, the days that teach and the day that is scored with what they taught.

    `nightly`: every nightly run may search, as in a running deployment; else one does, that of `look_day`.
    """

    world: World
    settings: Settings
    nightly: bool = False
    venues: int = 1

    @property
    def days(self) -> list[str]:
        """All days, oldest first."""
        return [self.world.spec.day(i) for i in range(self.world.spec.days)]

    @property
    def look_day(self) -> str:
        """The last day but one: its nightly run holds the only analysis, unless every run searches."""
        return self.days[-2]

    @property
    def last_day(self) -> str:
        """The day that runs on the learned priors and is replayed live."""
        return self.days[-1]


def plan_of(
    home: str | None, spec: WorldSpec, nightly: bool = False, venues: int = 1, faculties: Faculties = NO_FACULTIES
) -> DemoPlan:
    """Return the plan of a world and keep its settings with its branch: one analysis on the last but one day, or one
    in each nightly run.
    """
    tape = f"{spec.name}-{spec.seed}" + "-full" * (spec.sessions == FULL_DAY) + "-venue" * (spec.rates == VENUE)
    branch = tape + "-nightly" * nightly + faculties.suffix
    sections: Document = {
        "universe": {"assets": [{"name": a.name, "sz_decimals": a.sz_decimals} for a in spec.assets]},
        "outcomes": {"horizons_s": list(HORIZONS_S)},
        "learning": {"looks": "nightly"} if nightly else {"looks": "final", "look_day": spec.day(spec.days - 2)},
    }
    tried: Document = {} if style_of(spec.name) is None else {"trading": {"explore_entry": list(TRIED_STYLES)}}
    sections = merged(merged(sections, faculties.sections), tried)
    write_branch_settings(load_settings(home=home, branch="main").home, branch, sections)
    return DemoPlan(World(spec), settings_of(home, tape, branch), nightly, venues)


def reader_of(plan: DemoPlan) -> AbstractContextManager[TapeProcess | None]:
    """Have a process simulate the days that the tape lacks and read all, None where it lacks none.

    The frozen world is checked against its recorded hashes.
    """
    from lotus_cli.upkeep.fixtures import recorded_hashes

    folder = plan.settings.tape_root / path_step(plan.settings.tape)
    if all((folder / day).exists() for day in plan.days):
        return nullcontext()
    source = Simulated(plan.world.spec, recorded_hashes(plan.world))
    return tape_process(plan.settings, plan.days, False, 2, lambda day, stage: None, source)


@click.command("demo")
@click.option("--seed", type=WHOLE, default=7, show_default=True, help="Seed of the world; 7 is the frozen one.")
@click.option(
    "--world",
    type=click.Choice(WORLDS),
    default="demo",
    show_default=True,
    help="null = no truth; styles = an order at rest pays in a context.",
)
@click.option(
    "--days",
    type=click.IntRange(2),
    help=f"Session days.  [default: {BUDGET_DAYS}, of styles {STYLE_DAYS}, with --nightly {CLIMBING_DAYS}]",
)
@click.option("--nightly", is_flag=True, help="Search in every nightly run, not once: lessons come, climb and end.")
@click.option("--full-days", is_flag=True, help="Whole days instead of two 90-minute sessions.")
@click.option("--venue-rates", is_flag=True, help="The venue's message mix instead of a lighter one.")
@click.option(
    "--venues",
    default=1,
    show_default=True,
    type=click.IntRange(1, 2),
    help="Local exchanges that the last day is traded at, the second of other fees and latency.",
)
@click.option("--coins", is_flag=True, help="Rules may speak of one coin (learning.asset_context).")
@click.option("--segments", is_flag=True, help="Rules may speak of one segment (learning.segment_context).")
@click.option("--compose", is_flag=True, help="A style is judged anew where two lessons hold (trading.compose_styles).")
@at_home
def demo_command(
    seed: int,
    world: str,
    days: int | None,
    nightly: bool,
    full_days: bool,
    venue_rates: bool,
    venues: int,
    coins: bool,
    compose: bool,
    segments: bool,
    home: str | None,
    as_json: bool,
) -> None:
    """Simulate, learn, swap the learned priors in, trade the last day live, learn from that, and report."""
    spec = WorldSpec(world, seed=seed, days=days or _days(world, nightly))
    spec = dataclasses.replace(spec, sessions=FULL_DAY) if full_days else spec
    spec = dataclasses.replace(spec, rates=VENUE) if venue_rates else spec
    if coins and segments:
        raise click.UsageError("--coins and --segments: one of them, rules have one place for both")
    plan = plan_of(home, spec, nightly, venues, Faculties(coins, compose, segments))
    with Progress(quiet=as_json) as progress, reader_of(plan) as reader:
        progress(LOADING, 0)
        from lotus_assets.backfill import OPENING, backfilling
        from lotus_cli.demo.facts import facts_of
        from lotus_cli.demo.page import page
        from lotus_cli.demo.trade import run_last_day

        progress(OPENING, 0)
        with Databases(plan.settings).open():  # held to the end: every step joins this server and none stops it
            ended = {"starting": progress.seconds}
            with backfilling(plan.settings, plan.days[0], plan.last_day, progress, reader=reader) as walk:
                learning_s = walk.to(plan.look_day).seconds["learning"]
                ended |= {"reading the tape": progress.seconds - learning_s, "learning": progress.seconds}
                walk.score(plan.last_day)  # which the daemon has to agree with
                ended["learning"] = progress.seconds
                live = run_last_day(plan, progress)
                ended["the day live"] = progress.seconds
                summary = walk.to(plan.last_day)
            ended["learning of it"] = progress.seconds
            facts = facts_of(plan, summary, live, progress)
        ended["this page"] = progress.seconds
        facts |= {"seconds": round(progress.seconds, 1), "setup_seconds": _setup_seconds(), "parts": _parts(ended)}
        progress("done")
    emit(facts, as_json, page(facts, _where(plan.settings.home)))


def _days(world: str, nightly: bool) -> int:
    if nightly:
        return CLIMBING_DAYS
    return BUDGET_DAYS if style_of(world) is None else STYLE_DAYS


def _parts(ended: Mapping[str, float]) -> dict[str, float]:
    """Return how long each part took, in seconds, from when it ended."""
    began = [0.0, *ended.values()]
    return {name: round(end - start, 2) for (name, end), start in zip(ended.items(), began, strict=False)}


def _setup_seconds() -> float:
    """Return how long `make setup` took, 0 where it did not make this environment."""
    with suppress(OSError, ValueError):
        return float((Path(sys.prefix) / "ready").read_text(encoding="utf-8"))
    return 0.0


def _where(home: Path) -> str:
    return "" if home == Path(".lotus").absolute() else f" --home {home}"
