"""Compacted atoms: sums kept, what a night may read untouched, the same files however often it was killed."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from lotus.errors import LakeError
from lotus.learning.cube import LESSON_ATOMS
from lotus_assets import atoms_compaction
from lotus_assets.atoms_compaction import DAILY, WEEKLY, compact_days
from lotus_store.lake import Lake

from .day_atoms import atoms

KEEP = 4
START = date(2024, 1, 1)  # a Monday
OFFSETS = (0, 1, 4, 6, 7, 9, 200, 207, 370, 371, 377, 378, 379)
DAYS = [(START + timedelta(k)).isoformat() for k in OFFSETS]  # two weeks older than a year, two days, more, the newest


def filled(place: Path) -> Lake:
    """Return a lake with the atoms of all days."""
    lake = Lake(place)
    for day in DAYS:
        lake.write(LESSON_ATOMS, "main", day, atoms(day))
    return lake


def parts(lake: Lake) -> dict[tuple[str, str], str]:
    """Return the content hash of every part."""
    return {
        (s.name, d): lake.verify(s.name, "main", d)
        for s in (LESSON_ATOMS, DAILY, WEEKLY)
        for d in lake.days(s.name, "main")
    }


def brute(days: list[str]) -> dict[tuple[str, int, int], tuple[float, float, int]]:
    """Return the sums over some days the slow way."""
    out: dict[tuple[str, int, int], tuple[float, float, int]] = {}
    for day in days:
        t = atoms(day)
        for key, *x in zip(
            zip(t["detector_id"], t["triple"], t["cell"], strict=True),
            t["r"],
            t["h"],
            t["rest_r"],
            t["rest_h"],
            t["n"],
            strict=True,
        ):
            out[key] = tuple(a + b for a, b in zip(out.get(key, (0, 0, 0, 0, 0)), x, strict=True))  # type: ignore[assignment]
    return out


def kept(lake: Lake, name: str, day: str) -> dict[tuple[str, int, int], tuple[float, float, int]]:
    """Return the sums of a coarser part."""
    t = lake.read(name, "main", day)
    keys = zip(t["detector_id"], t["triple"], t["cell"], strict=True)
    return {key: tuple(x) for key, *x in zip(keys, t["r"], t["h"], t["rest_r"], t["rest_h"], t["n"], strict=True)}  # type: ignore[misc]


def test_days_then_weeks_and_the_newest_untouched(tmp_path: Path) -> None:
    lake = filled(tmp_path)
    before = lake.stored_bytes(atoms_compaction.TABLES, "main")
    newest = {key: value for key, value in parts(lake).items() if key[1] in DAYS[-KEEP:]}
    done = compact_days(lake, "main", DAYS, KEEP)
    assert done.days == tuple(DAYS[:-KEEP])
    assert done.weeks == ("2024-01-01", "2024-01-08")
    after = parts(lake)
    assert {key: value for key, value in after.items() if key[0] == LESSON_ATOMS.name} == newest
    assert [d for name, d in after if name == DAILY.name] == DAYS[6:9]
    assert kept(lake, DAILY.name, DAYS[7]) == brute([DAYS[7]])
    assert kept(lake, WEEKLY.name, "2024-01-01") == brute(DAYS[:4])
    assert kept(lake, WEEKLY.name, "2024-01-08") == brute(DAYS[4:6])
    assert lake.stored_bytes(atoms_compaction.TABLES, "main") < before
    assert compact_days(lake, "main", DAYS, KEEP) == atoms_compaction.Compacted((), ())
    assert parts(lake) == after


@pytest.mark.process("a job that ends at each of its steps, run again")
def test_killed_before_or_after_any_step_and_run_again_ends_in_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = filled(tmp_path / "whole")
    steps = [0]
    real = {name: getattr(Lake, name) for name in ("write", "remove")}

    def counted(name: str, stop: int, after: bool):  # type: ignore[no-untyped-def]
        def step(self: Lake, *args: object) -> object:
            steps[0] += 1
            if steps[0] == stop and not after:
                raise KeyboardInterrupt
            result = real[name](self, *args)
            if steps[0] == stop and after:
                raise KeyboardInterrupt
            return result

        return step

    def run(lake: Lake, stop: int, after: bool) -> None:
        steps[0] = 0
        with monkeypatch.context() as patch:
            for name in real:
                patch.setattr(Lake, name, counted(name, stop, after))
            compact_days(lake, "main", DAYS, KEEP)

    run(whole, 0, False)
    total, expected = steps[0], parts(whole)
    assert total == 2 * 9 + 2 + 6
    for stop in range(1, total + 1):
        for after in (False, True):
            lake = filled(tmp_path / f"{stop}-{after}")
            with pytest.raises(KeyboardInterrupt):
                run(lake, stop, after)
            compact_days(lake, "main", DAYS, KEEP)
            assert parts(lake) == expected, (stop, after)


def test_a_day_learned_again_after_its_week_was_compacted(tmp_path: Path) -> None:
    lake = filled(tmp_path)
    compact_days(lake, "main", DAYS, KEEP)
    week = parts(lake)[WEEKLY.name, "2024-01-01"]
    lake.write(LESSON_ATOMS, "main", DAYS[1], atoms(DAYS[1]))  # the same again: taken up silently
    compact_days(lake, "main", DAYS, KEEP)
    assert parts(lake)[WEEKLY.name, "2024-01-01"] == week
    lake.write(LESSON_ATOMS, "main", DAYS[1], atoms(DAYS[1], seed=1))
    with pytest.raises(LakeError, match=f"materialise lesson_atoms of {DAYS[0]}, {DAYS[2]}, {DAYS[3]}"):
        compact_days(lake, "main", DAYS, KEEP)
    assert parts(lake)[WEEKLY.name, "2024-01-01"] == week
    for day in (DAYS[0], *DAYS[2:4]):
        lake.write(LESSON_ATOMS, "main", day, atoms(day))
    compact_days(lake, "main", DAYS, KEEP)
    assert parts(lake)[WEEKLY.name, "2024-01-01"] != week
    assert (DAILY.name, DAYS[1]) not in parts(lake)
