"""Worlds that runs make are those that this process makes, whoever died; other code and another content are refused."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import dagster as dg
import pytest

import lotus_assets.fleet.world_blocks
from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus_assets.definitions import build_definitions
from lotus_assets.fleet.asking import Asking
from lotus_assets.fleet.world_blocks import FleetWorlds, WorldBlock, made_world, row_of_world, study_asked, units_of
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.ledger.part_commits import NondeterminismError, blocks_done
from lotus_store.settings.sections import FleetSettings


@dataclass
class Toy:
    """A study whose worlds are their seeds; `dies_at` ends a run, `more` makes another machine's content."""

    name: str = "toy"
    setting_hash: str = "setting"
    code_hash: str = "code"
    cost: float = 30.0
    dies_at: set[int] = field(default_factory=set)
    made: list[int] = field(default_factory=list)
    more: str = ""

    def row(self, seed: int) -> dict[str, str]:
        if seed in self.dies_at:
            self.dies_at.remove(seed)
            raise RuntimeError("killed")
        self.made.append(seed)
        return {"seed": str(seed), "figure": f"{seed * 2}{self.more}", "cpu_s": str(len(self.made))}

    def content(self, row: Mapping[str, str]) -> str:
        return natural_id(row["seed"], row["figure"])


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    study = Toy()
    monkeypatch.setitem(sys.modules, "toy_studies", SimpleNamespace(study_named=lambda name, small: study))
    monkeypatch.setattr(lotus_assets.fleet.world_blocks, "STUDIES", ("toy_studies", "study_named"))
    monkeypatch.setattr(lotus_assets.fleet.world_blocks, "LOOK_S", 0.0)
    return study


@contextmanager
def fleet(settings: Settings, asked: list[str]) -> Iterator[FleetWorlds]:
    """A fleet that executes a run at once in this thread."""
    lotus = Lotus.open(replace(settings, fleet=FleetSettings(slots=2)))
    job = build_definitions(lotus).get_job_def("world_block")
    with dg.DagsterInstance.ephemeral() as instance:

        def submit(name: str, config: Mapping[str, object], tags: Mapping[str, str]) -> str:
            asked.append(tags["lotus/unit"])
            given = {"instance": instance, "run_config": dict(config), "tags": dict(tags), "raise_on_error": False}
            return job.execute_in_process(**given).run_id

        yield FleetWorlds(lotus, Asking(lotus, "world_block", instance, submit))
    lotus.close()


def test_runs_make_ten_worlds_or_a_minute_s_and_every_slot_has_one() -> None:
    def sizes(cost: float, seeds: int, slots: int) -> list[int]:
        return [len(unit.seeds) for unit in units_of(Toy(cost=cost), False, range(seeds), slots)]

    assert sizes(30.0, 45, 2) == [10, 10, 10, 10, 5]
    assert sizes(0.5, 300, 2) == [120, 120, 60]
    assert sizes(30.0, 4, 4) == [1, 1, 1, 1]
    assert sizes(30.0, 0, 2) == []


def test_rows_come_by_seed_though_a_run_died_and_nothing_is_left(settings: Settings, toy: Toy) -> None:
    asked: list[str] = []
    wanted = [Toy().row(seed) for seed in range(1, 6)]
    toy.dies_at = {2}
    with fleet(settings, asked) as worlds:
        rows = list(worlds.rows(toy, False, [5, 3, 1, 2, 4]))
        assert [(row["seed"], row["figure"]) for row in rows] == [(row["seed"], row["figure"]) for row in wanted]
        assert sorted(toy.made) == [1, 2, 3, 4, 5]  # what was committed before the death is not made again
        assert len(asked) == 3
        with worlds.lotus.databases.connect("sig", autocommit=True) as sig:
            assert blocks_done(sig, "worlds", "") == {}


def test_what_dies_twice_is_made_here_where_its_error_comes_up(settings: Settings, toy: Toy) -> None:
    toy.row = lambda seed: {}[seed]  # type: ignore[method-assign]
    asked: list[str] = []
    with fleet(settings, asked) as worlds, pytest.raises(KeyError):
        list(worlds.rows(toy, False, [1]))
    assert len(asked) == 2


def test_another_content_of_a_world_is_refused_by_who_makes_it_and_who_reads_it(settings: Settings, toy: Toy) -> None:
    with fleet(settings, []) as worlds, worlds.lotus.databases.connect("sig", autocommit=True) as sig:
        first = Toy()

        def row(seed: int) -> dict[str, str]:
            made_world(sig, first, seed)  # another worker is quicker
            return {"seed": str(seed), "figure": "other"}

        toy.row = row  # type: ignore[method-assign]
        with pytest.raises(NondeterminismError, match="seed 7"):
            made_world(sig, toy, 7)
        with pytest.raises(NondeterminismError, match="no row of it is taken"):
            row_of_world(sig, toy, 7)
        with pytest.raises(NondeterminismError, match="seed 7 of toy"):
            list(worlds.rows(toy, False, [7]))


def test_a_worker_with_another_setting_code_or_no_studies_refuses(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = WorldBlock(study="toy", small=False, setting="setting", code="code", seeds=[1])
    assert study_asked(asked) is toy
    with pytest.raises(ConfigError, match="the checkout of this worker differs"):
        study_asked(asked.model_copy(update={"code": "newer"}))
    monkeypatch.setattr(lotus_assets.fleet.world_blocks, "STUDIES", ("no_such_studies", "study_named"))
    with pytest.raises(ConfigError, match="runs from a wheel"):
        study_asked(asked)
