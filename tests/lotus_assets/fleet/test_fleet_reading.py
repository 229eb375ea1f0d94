"""Days that units read are those that this process reads: whole or by blocks, after a lost run, in their order."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

import lotus_assets.fleet.fleet_reading
from lotus.errors import ConfigError
from lotus_assets.bodies import stage_context
from lotus_assets.definitions import build_definitions
from lotus_assets.fleet.asking import Asking
from lotus_assets.fleet.fleet_reading import FleetReading, chunks_of, fleet_reading
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.tape.reading import DayRead
from lotus_resources.fleet.broker import BROKER_ENV, RELEASE_TAG
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.ledger.day_commits import forget_commits, read_commits
from lotus_store.settings.sections import FleetSettings
from lotus_store.tape.store import TapeStore


def test_chunks_last_about_a_minute_and_every_slot_has_one() -> None:
    days = [f"d{k}" for k in range(7)]
    lines = dict.fromkeys(days, 4_000_000)
    assert [len(chunk) for chunk in chunks_of(days, lines, 1)] == [3, 3, 1]
    assert [len(chunk) for chunk in chunks_of(days, dict.fromkeys(days, 1), 3)] == [3, 3, 1]
    assert chunks_of(days, dict.fromkeys(days, 10**9), 2) == [(day,) for day in days]
    assert chunks_of([], {}, 2) == []


@contextmanager
def opened(settings: Settings, block_symbols: int) -> Iterator[Lotus]:
    lotus = Lotus.open(replace(settings, fleet=FleetSettings(slots=2, block_symbols=block_symbols)))
    try:
        yield lotus
    finally:
        lotus.close()


def submitter(lotus: Lotus, instance: dg.DagsterInstance, asked: list[str], lose: int) -> Callable[..., str]:
    """Return what executes a run at once in this thread; the first `lose` runs are lost on the way."""
    job = build_definitions(lotus).get_job_def("tape_unit")

    def submit(name: str, config: Mapping[str, object], tags: Mapping[str, str]) -> str:
        asked.append(tags["lotus/unit"])
        tags = {**tags, RELEASE_TAG: "that of the process which launches"}
        if len(asked) <= lose:
            run = instance.create_run_for_job(job, run_config=dict(config), tags=dict(tags))
            instance.report_run_failed(run, "no process holds its lease")
            return run.run_id
        done = job.execute_in_process(instance=instance, run_config=dict(config), tags=dict(tags), raise_on_error=False)
        return done.run_id

    return submit


def read_over(
    monkeypatch: pytest.MonkeyPatch, lotus: Lotus, days: Sequence[str], lose: int = 0
) -> tuple[list[str], list[DayRead]]:
    """Read days in this thread as by a fleet; return the units asked for, and what came of the days."""
    asked: list[str] = []
    monkeypatch.setattr(lotus_assets.fleet.fleet_reading, "LOOK_S", 0.01)
    with dg.DagsterInstance.ephemeral() as instance:
        submit = submitter(lotus, instance, asked, lose)
        asking = Asking(lotus, "tape_unit", instance, submit)
        reading = FleetReading(lotus, lambda day, stage: None, asking)
        reading.read(days)
        return asked, reading.take(wait=True)


def hashes(lotus: Lotus) -> dict[tuple[str, str], str]:
    with stage_context(lotus) as ctx:
        names = {stage.name for stage in TAPE_STAGES}
        return {(c.day, c.stage): c.content_hash for c in read_commits(ctx.sig, ctx.tape_branch) if c.stage in names}


def begin_anew(lotus: Lotus) -> None:
    """Forget all that was made of the tape."""
    with stage_context(lotus) as ctx:
        forget_commits(ctx.sig, ctx.tape_branch, "")
    shutil.rmtree(lotus.settings.lake_root)


@pytest.mark.process("days of tape through their stages, twice")
@pytest.mark.warm("taped")
def test_units_of_days_and_of_blocks_give_what_one_process_gives(
    tiny: Settings, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tiny, 16) as lotus:
        wanted = hashes(lotus)
        assert len(wanted) == len(days) * len(TAPE_STAGES)
    whole = [f"{days[0]} to {days[1]}, whole", f"{days[2]} to {days[2]}, whole"]
    for symbols, lose, times in ((16, 1, [2, 1]), (2, 0, [1, 1])):
        with opened(tiny, symbols) as lotus:
            begin_anew(lotus)
            asked, reads = read_over(monkeypatch, lotus, days, lose)
            assert [read.day for read in reads] == days
            assert all(read.is_whole for read in reads)
            assert hashes(lotus) == wanted
            if symbols == 16:
                assert [asked.count(name) for name in whole] == times
            else:
                each = ["0", "0", "1", "1", "split", "split", "whole", "whole"]
                assert sorted(name.split(", ")[1] for name in asked) == each


@pytest.mark.warm("taped")
def test_a_day_that_cannot_be_read_is_told_in_its_turn(
    tiny: Settings, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tiny, 16) as lotus:
        begin_anew(lotus)
        shutil.copytree(lotus.tape.folder, copied := tiny.home / "own", symlinks=True)
        for path in (copied / days[1]).glob("*.zst"):
            path.write_bytes(b"rotten")
        lotus = replace(lotus, tape=replaced(lotus, copied))
        asked, reads = read_over(monkeypatch, lotus, days)
        assert [(read.day, read.is_whole) for read in reads] == [(days[0], True), (days[1], False)]
        assert len(asked) == 3  # the chunk with the rotten day once more, the other once
        assert "segments_intact" in str(reads[-1].results[-1].failed_checks)


def replaced(lotus: Lotus, folder: Path) -> TapeStore:
    """Return the tape as it stands in another folder."""
    store = TapeStore(lotus.settings.home, lotus.settings.tape)
    store.folder = folder
    return store


@pytest.mark.process("a broker that is away is asked four times")
def test_a_fleet_without_up_or_workers_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BROKER_ENV, "redis://127.0.0.1:1/0")
    expected = pytest.raises(ConfigError, match="`lotus up` running on this home")
    with opened(settings, 16) as lotus, expected, fleet_reading(lotus, [], print):
        pass
    workspace = Path(settings.home) / "dagster" / "workspace.json"
    workspace.parent.mkdir(exist_ok=True)
    workspace.write_text("{}")
    expected = pytest.raises(ConfigError, match="the broker does not answer")
    with opened(settings, 16) as lotus, expected, fleet_reading(lotus, [], print):
        pass
