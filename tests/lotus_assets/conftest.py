"""A tiny world (three days of two 20-minute sessions) on tape in a home of its own, and a context to run stages on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from warm import WarmHome, empty_all

from lotus.manifest import Manifest
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import Stage, StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.tape.import_world import import_world
from lotus_store.tape.store import TapeStore

SPEC = WorldSpec("demo", seed=11, days=3, sessions=(("08:00", "08:20"), ("14:00", "14:20")))


def tiny_manifest() -> Manifest:
    """Return a manifest whose longest horizon fits into a session."""
    manifest = Manifest()
    outcomes = replace(manifest.outcomes, horizons_s=(30, 300))
    return replace(manifest, outcomes=outcomes, learning=replace(manifest.learning, looks="final"))


@pytest.fixture(scope="session")
def tape_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the tape of the tiny world."""
    home = tmp_path_factory.mktemp("world")
    import_world(TapeStore(home, "tiny"), World(SPEC), range(SPEC.days))
    return home


@pytest.fixture(scope="session")
def days() -> list[str]:
    """The days of the tiny world, oldest first."""
    return [SPEC.day(i) for i in range(SPEC.days)]


def with_tape(settings: Settings, tape_home: Path) -> Settings:
    """Return settings of an empty home to which the tiny tape is linked."""
    settings.tape_root.parent.mkdir(parents=True)
    settings.tape_root.symlink_to(tape_home / "tape")
    return replace(settings, manifest=tiny_manifest(), tape="tiny")


def run_days(settings: Settings, stages: Sequence[Stage], days: Sequence[str]) -> None:
    """Run stages of days in a home."""
    lotus = Lotus.open(settings)
    with stage_context(lotus) as context:
        for day in days:
            for stage in stages:
                assert not run_stage(context, stage, day).failed_checks
    lotus.close()


@pytest.fixture(scope="session")
def taped(
    migrated: Databases, server_dsn: str, tape_home: Path, tmp_path_factory: pytest.TempPathFactory, days: list[str]
) -> WarmHome:
    """A home in which the stages of the tape have run for all days."""
    folder = tmp_path_factory.mktemp("warm")
    made = with_tape(replace(Settings(folder / "made"), server_dsn=server_dsn), tape_home)
    empty_all(migrated)
    run_days(made, TAPE_STAGES, days)
    return WarmHome(made, folder / "taped")


@pytest.fixture(scope="session")
def first_day(taped: WarmHome, server_dsn: str, tmp_path_factory: pytest.TempPathFactory, days: list[str]) -> WarmHome:
    """The home `taped` in which every stage of the first day has run."""
    folder = tmp_path_factory.mktemp("warm")
    made = replace(Settings(folder / "made"), server_dsn=server_dsn, manifest=tiny_manifest(), tape="tiny")
    taped.bring_back(made)
    run_days(made, LEARNING_STAGES, days[:1])
    return WarmHome(made, folder / "first_day")


@pytest.fixture
def tiny(request: pytest.FixtureRequest, settings: Settings, tape_home: Path) -> Settings:
    """Settings of a home with the tiny tape: an empty one, or the one that the mark `warm` names."""
    mark = request.node.get_closest_marker("warm")
    if mark is None:
        return with_tape(settings, tape_home)
    request.getfixturevalue(mark.args[0]).bring_back(settings)
    return replace(settings, manifest=tiny_manifest(), tape="tiny")


@pytest.fixture
def lotus(tiny: Settings) -> Iterator[Lotus]:
    """The open home."""
    opened = Lotus.open(tiny)
    yield opened
    opened.close()


@pytest.fixture
def ctx(lotus: Lotus) -> Iterator[StageContext]:
    """A stage context of the open home."""
    with stage_context(lotus) as context:
        yield context


@pytest.fixture
def scored(ctx: StageContext, days: list[str]) -> StageContext:
    """A context whose first day is committed."""
    for stage in (*TAPE_STAGES, *LEARNING_STAGES):
        run_stage(ctx, stage, days[0])
    return ctx
