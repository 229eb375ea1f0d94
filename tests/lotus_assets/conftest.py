"""A tiny world (three days of two 20-minute sessions) on tape in a home of its own, and a context to run stages on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lotus.manifest import Manifest
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import StageContext
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
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


@pytest.fixture
def tiny(settings: Settings, tape_home: Path) -> Settings:
    """Settings of an empty home with the tiny tape."""
    settings.tape_root.parent.mkdir(parents=True)
    settings.tape_root.symlink_to(tape_home / "tape")
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
