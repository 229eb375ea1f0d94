"""Worlds of a study made by the fleet: the job that makes some seeds, and what asks for them and reads the rows.

A run makes some seeds of one study; every world is committed by itself (`part_commits`), so a run that died goes on at
the seed that is not done. The first content stands: another one of the same seed, setting and code is an error that the
asking process raises too. Studies are no part of the product; `STUDIES` names the function that knows them, and a
worker whose study has another setting or code than was asked for refuses. (Literature: bag of tasks.)
"""

import importlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import dagster as dg
from pydantic import Field

from lotus.errors import ConfigError, LotusError
from lotus.hashing import natural_id
from lotus_assets.fleet.asking import PRIORITY_TAG, UNIT_S, Asking, asking
from lotus_resources.lotus_resource import Lotus
from lotus_store.ledger.part_commits import NondeterminismError, PartCommit, drop_parts, put_part, read_part
from lotus_store.postgres.queries import Connection

STUDIES: Final = "benchmarks.lessons.page", "study_named"
BRANCH, NO_DAY = "worlds", ""
OTHER = ", another content"
LEAST = 10  # seeds of a run
LOOK_S = 1.0
LOW = "-1"  # the priority of runs: days of a branch go first
POOL = "worlds"
Row = dict[str, str]


class WorldStudy(Protocol):
    """What is known here of a study: its name, what its rows depend on beside the seed, and how one is made."""

    @property
    def name(self) -> str:
        """Its name among all studies."""

    @property
    def setting_hash(self) -> str:
        """Names everything but seed and code."""

    @property
    def code_hash(self) -> str:
        """Names the sources behind a row."""

    @property
    def cost(self) -> float:
        """About how many CPU seconds a row takes."""

    def row(self, seed: int) -> Row:
        """Make one row, as text."""

    def content(self, row: Mapping[str, str]) -> str:
        """Return the hash of what another run must repeat of a row."""


class WorldBlock(dg.Config):
    """A study, of what setting and code, on small worlds or not, and the seeds that are wanted."""

    study: str
    small: bool
    setting: str
    code: str
    seeds: list[int] = Field(min_length=1)


@dg.op(description="Make worlds of a study, one row a seed.", pool=POOL)
def make_worlds(context: dg.OpExecutionContext, config: WorldBlock, lotus: dg.ResourceParam[Lotus]) -> None:
    """Make the seeds that are not there; an error that the same seed would give again is not tried again."""
    try:
        study = study_asked(config)
        with lotus.databases.connect("sig", autocommit=True) as sig:
            for seed in config.seeds:
                is_new = made_world(sig, study, seed)
                context.log.info("%s seed %d %s", study.name, seed, "made" if is_new else "was there")
    except LotusError as error:
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error


@dg.job(name="world_block", executor_def=dg.in_process_executor)
def world_block() -> None:
    """Make worlds of a study."""
    make_worlds()


def study_asked(config: WorldBlock) -> WorldStudy:
    """Return the study of a run; raises `ConfigError` where this machine has none, or another setting or code."""
    module, function = STUDIES
    checkout = str(Path(__file__).resolve().parents[2])
    if checkout not in sys.path:
        sys.path.append(checkout)
    try:
        study_of = getattr(importlib.import_module(module), function)
    except ImportError as problem:
        cause = f"{module} does not import here ({problem}): this worker runs from a wheel"
        raise ConfigError("no studies on this worker", "a checkout of the commit that asks", cause) from problem
    study: WorldStudy = study_of(config.study, config.small)
    found, wanted = (study.setting_hash, study.code_hash), (config.setting, config.code)
    if found != wanted:
        cause = "the checkout of this worker differs from that of who asks"
        raise ConfigError(f"{config.study} of setting and code {found} here", f"{wanted}", cause)
    return study


def stage_of(study: WorldStudy) -> str:
    """Return under which stage the worlds of a study's setting are committed."""
    return f"{study.name} {study.setting_hash}"


def part_of_world(sig: Connection, study: WorldStudy, seed: int, more: str = "") -> PartCommit | None:
    """Return the record of a world, None where it is not made."""
    return read_part(sig, BRANCH, NO_DAY, stage_of(study), f"seed {seed}{more}", _inputs(study))


def made_world(sig: Connection, study: WorldStudy, seed: int) -> bool:
    """Make a world unless it is there; tell whether it was made.

    Raises `NondeterminismError` where another content came meanwhile; whoever reads the rows finds that too.
    """
    if part_of_world(sig, study, seed) is not None:
        return False
    row = study.row(seed)
    part = PartCommit(
        BRANCH, NO_DAY, stage_of(study), f"seed {seed}", _inputs(study), study.content(row), 1, {"row": row}
    )
    try:
        put_part(sig, part)
    except NondeterminismError:
        put_part(sig, replace(part, block=part.block + OTHER))
        raise
    return True


def row_of_world(sig: Connection, study: WorldStudy, seed: int) -> Row | None:
    """Return the row of a world, None where it is not made.

    Raises `NondeterminismError` where two contents were made of it.
    """
    part, other = part_of_world(sig, study, seed), part_of_world(sig, study, seed, OTHER)
    if part is not None and other is not None:
        raise NondeterminismError(
            f"seed {seed} of {study.name} gave {other.content_hash}",
            f"{part.content_hash}, which equal code and setting gave before",
            "two machines whose processors or libraries compute differently; no row of it is taken",
        )
    return None if part is None else {str(name): str(value) for name, value in part.notes["row"].items()}


def _inputs(study: WorldStudy) -> str:
    return natural_id("world", study.setting_hash, study.code_hash)


@dataclass(slots=True)
class WorldUnit:
    """Seeds that one run makes, and how often it was asked for."""

    study: WorldStudy
    small: bool
    seeds: tuple[int, ...]
    tries: int = 0

    @property
    def name(self) -> str:
        """How its runs are tagged."""
        seeds = f"{self.seeds[0]} to {self.seeds[-1]}, {len(self.seeds)}"
        return f"{stage_of(self.study)} {self.study.code_hash} {seeds}"

    @property
    def config(self) -> Mapping[str, object]:
        """The configuration of its runs."""
        study = self.study
        asked = {"study": study.name, "small": self.small, "setting": study.setting_hash, "code": study.code_hash}
        return {"ops": {"make_worlds": {"config": {**asked, "seeds": list(self.seeds)}}}}


def units_of(study: WorldStudy, small: bool, seeds: Sequence[int], slots: int) -> list[WorldUnit]:
    """Return the runs that seeds are made in: ten each or about a minute's work, at least one a slot."""
    size = max(1, min(max(LEAST, round(UNIT_S / study.cost)), -(-len(seeds) // slots)))
    return [WorldUnit(study, small, tuple(seeds[k : k + size])) for k in range(0, len(seeds), size)]


@dataclass(frozen=True, slots=True)
class FleetWorlds:
    """What has the rows of studies made by the fleet."""

    lotus: Lotus
    asking: Asking

    def rows(self, study: WorldStudy, small: bool, seeds: Sequence[int]) -> Iterator[Row]:
        """Yield the row of every seed, in their order; what a unit left undone twice is made here.

        What was read is forgotten once all is. Raises `NondeterminismError` where two contents were made of a world.
        """
        with self.lotus.databases.connect("sig", autocommit=True) as sig:
            units = units_of(study, small, sorted(seeds), self.lotus.settings.fleet.slots)
            waiting = list(units)
            for unit in units:
                while unit in waiting:
                    waiting = [one for one in waiting if not self._is_over(sig, one)]
                    time.sleep(LOOK_S if unit in waiting else 0.0)
                for seed in unit.seeds:
                    made_world(sig, study, seed)
                    row = row_of_world(sig, study, seed)
                    assert row is not None, f"seed {seed} was made and is not there"
                    yield row
            drop_parts(sig, BRANCH, NO_DAY, stage_of(study))

    def _is_over(self, sig: Connection, unit: WorldUnit) -> bool:
        def is_done() -> bool:
            return all(row_of_world(sig, unit.study, seed) is not None for seed in unit.seeds)

        return self.asking.is_over(unit, is_done, lambda: None)


@contextmanager
def fleet_worlds(lotus: Lotus) -> Iterator[FleetWorlds]:
    """Have the fleet make worlds as long as the body runs. Raises `ConfigError` as `asking` does."""
    with asking(lotus, world_block.name, **{PRIORITY_TAG: LOW}) as opened:
        yield FleetWorlds(lotus, opened)
