"""A simulated world as a tape: complete days, the same bytes as its recorded hashes, nothing left by a refusal."""

from pathlib import Path

import pytest

from lotus.errors import TapeError
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus_store.tape.import_world import import_world
from lotus_store.tape.store import TapeStore

SPEC = WorldSpec("null", seed=3, days=2, sessions=(("08:00", "08:04"), ("14:00", "14:03")))


def test_days_are_whole_and_made_once(tmp_path: Path) -> None:
    store, world = TapeStore(tmp_path, "w"), World(SPEC)
    assert import_world(store, world, range(2)) == 2
    assert import_world(store, world, range(2)) == 0
    assert store.days() == ["2026-01-05", "2026-01-06"]
    lines = b"".join(part.lines for part in store.read_day_lines("2026-01-05"))
    assert lines == b"".join(text for _, text in world.day_pieces(0))
    assert store.segments("2026-01-05")[0].first_seq == 0
    _, report = store.decode_day("2026-01-05")
    assert not report.reasons


def test_a_world_that_changed_is_refused_and_leaves_no_day(tmp_path: Path) -> None:
    store = TapeStore(tmp_path, "w")
    with pytest.raises(TapeError, match="the simulator was changed"):
        import_world(store, World(SPEC), [0], recorded={"2026-01-05": ["0" * 64, "0" * 64]})
    assert store.days() == []
    assert [p.name for p in store.folder.iterdir() if p.is_dir()] == []
