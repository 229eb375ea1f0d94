"""The stage of the ledger's numbers: as of its day, the same however often it is killed, carried by the day after."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lotus.atlas.numbers import DAYS, ModuleNumbers
from lotus.hashing import natural_id
from lotus.learning.payoff_scores import PAYOFF_SCORES
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.timebase import HOUR_MS, day_of, day_start_ms, next_day
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules import module_numbers
from lotus_assets.stages.runner import run_stage
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.ledger import atlas
from lotus_store.ledger.day_commits import DayCommit, commit_day, read_commit
from lotus_store.ledger.module_numbers import read_numbers

sys.path.insert(0, str(Path(__file__).parents[3] / "lotus_atlas"))
from planted_windows import DAY0_MS, PER_DAY, noise, planted, steps_ms

PLANTED = 10  # days of evidence
FIRST = day_of(DAY0_MS)
LAST = next_day(FIRST, PLANTED - 1)
STAGE = module_numbers.STAGE


@pytest.fixture
def home(settings: Settings) -> Iterator[StageContext]:
    """A context of a home without tape."""
    opened = Lotus.open(settings)
    with stage_context(opened) as context:
        yield context
    opened.close()


@pytest.fixture
def scored(home: StageContext) -> StageContext:
    """Ten days of scores with a rhythm of 0.7 an hour on paper, that execution follows a step later, impact 1 bp."""
    rhythm = 2.0 * np.sin(2 * np.pi * 0.7 * steps_ms(PLANTED) / HOUR_MS) + 2.0 * noise(1, PLANTED)
    put_scores(home, rhythm, 2.0 * np.roll(rhythm, 1), 1.0)
    return home


def put_scores(ctx: StageContext, paper: np.ndarray, execution: np.ndarray, impact: float, only: str = "") -> None:
    """Commit scores of days from the first on, or of one of them."""
    windows = planted(1, paper, execution, impact)
    days = np.array([day_of(int(t)) for t in windows.end_ms])
    for day in [only] if only else sorted(set(days.tolist())):
        mine = days == day
        n = int(mine.sum())
        rows = {c.name: np.zeros(n, dtype=PAYOFF_SCORES.numpy_dtype(c.name)) for c in PAYOFF_SCORES.columns}
        rows |= {c.name: np.full(n, "x", dtype=object) for c in PAYOFF_SCORES.columns if c.dtype == "text"}
        rows |= {"window_end_ms": windows.end_ms[mine], "horizon_s": np.full(n, 300, dtype=np.int32)}
        rows |= {"p": windows.p[mine], "published": windows.published[mine]}
        rows |= {"payoff_p": windows.paper[mine], "payoff_y": windows.executed[mine]}
        written = ctx.lake.write(PAYOFF_SCORES, ctx.branch, day, rows)
        commit_day(ctx.sig, DayCommit(ctx.branch, day, "payoff_scores", written.content_hash, n, "", {}))


def say(ctx: StageContext, day: str, sender: Module = Module.SIG) -> str:
    """Let a module say something at noon of a day (the decision-maker may not); return the name of its thread."""
    name, noon = natural_id(day, sender), day_start_ms(day) + 12 * HOUR_MS
    payload = {
        "branch": ctx.branch, "event_id": name, "detector_id": "sr", "asset": "BTC", "time_ms": noon, "horizon_s": 300,
        "priors_ver": "0" * 32, "signal": {},
    }  # fmt: skip
    message = Message(
        to=(Module.DM,), intent=Intent.ALPHA_PROPOSED, branch=ctx.branch, payload=payload, ts=noon, dedupe_key=name,
        schema_ref="urn:schema:sig.alpha_proposed:v1", lifecycle_id=name,
    )  # fmt: skip
    with ctx.databases.connect(sender.value) as connection:
        send(connection, sender, message, Keys(ctx.settings.keys_root))
    carry(ctx.databases)
    return name


def row(ctx: StageContext, thread: str) -> tuple[object, ...]:
    """Return what the one row of a thread says of its module."""
    with ctx.databases.connect("atlas") as connection:
        (found,) = atlas.lifecycle(connection, thread)
    return found.resonance_frequency, found.observer_effects, found.entanglement_data


def stored(ctx: StageContext, day: str = LAST) -> dict[str, ModuleNumbers]:
    return {n.module: n for n in read_numbers(ctx.sig, ctx.branch, day)}


def test_what_is_planted_is_told_and_carried_by_the_day_after(scored: StageContext) -> None:
    early = say(scored, next_day(LAST))
    result = run_stage(scored, STAGE, LAST)
    assert (result.rows, result.notes["days"], result.failed_checks) == (4, PLANTED, ())
    found = stored(scored)
    assert found["sig"].resonance_frequency == pytest.approx(0.7, abs=0.01)
    assert found["tr"].resonance_frequency == pytest.approx(0.7, abs=0.01)
    low, high = found["sig"].observer_low_bps, found["sig"].observer_high_bps
    assert low is not None
    assert high is not None
    assert 0.0 < low < 1.0 < high
    assert (found["sig"].entangled_lag, found["tr"].entangled_lag) == (1, -1)
    assert found["dm"].resonance_frequency is None
    late, other = say(scored, next_day(LAST), Module.DM), say(scored, LAST)
    told = row(scored, early)
    assert told[0] == found["sig"].resonance_frequency
    assert isinstance(told[1], dict)
    assert told[1]["effect_bps"] == found["sig"].observer_effect_bps
    assert isinstance(told[2], dict)
    assert (told[2]["with"], told[2]["lag"]) == ("tr", 1)
    assert row(scored, late) == row(scored, other) == (None, None, None)
    assert atlas.differences(scored.databases).equal
    atlas.rebuild(scored.databases)
    assert row(scored, early) == told
    assert atlas.differences(scored.databases).equal


def test_a_row_knows_nothing_of_its_own_day(scored: StageContext) -> None:
    """Everything that the evidence of day d changes is in the numbers of d and later: rows of d stay as they are."""
    day = LAST
    thread, after = say(scored, day), say(scored, next_day(day))
    run_stage(scored, STAGE, next_day(day, -1))
    run_stage(scored, STAGE, day)
    before, next_before = row(scored, thread), row(scored, after)
    needed = module_numbers.inputs(scored, next_day(day, -1))
    assert before[0] is not None
    put_scores(scored, noise(5, PLANTED) + 9.0, noise(6, PLANTED), 3.0, only=day)
    for one in (next_day(day, -1), day):
        run_stage(scored, STAGE, one)
    assert row(scored, thread) == before
    assert row(scored, after) != next_before
    assert module_numbers.inputs(scored, next_day(day, -1)) == needed
    assert atlas.differences(scored.databases).equal


def test_evidence_is_that_of_the_last_learning_days(home: StageContext) -> None:
    put_scores(home, noise(1, DAYS + 2), noise(2, DAYS + 2), 0.0)
    days = [next_day(FIRST, k) for k in range(DAYS + 2)]
    assert set(module_numbers.inputs(home, days[-2])) - {"payoff_scores"} == {
        f"payoff_scores[{day}]" for day in days[1:-1]
    }
    few = run_stage(home, STAGE, days[0])
    assert (few.notes["days"], few.notes["told"]) == (1, 0)
    assert stored(home, days[0])["sig"].observer_reason.endswith("20 blocks are needed")
    assert stored(home, days[0])["sig"].entangled_n <= PER_DAY


@pytest.mark.parametrize("where", ["write_numbers", "read_numbers"])
def test_killed_and_run_again_the_rows_are_the_same(
    scored: StageContext, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Killed before the commit, and between it and the atlas."""
    thread = say(scored, next_day(LAST))

    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module_numbers, where, killed)
        with pytest.raises(KeyboardInterrupt):
            run_stage(scored, STAGE, LAST)
    assert row(scored, thread) == (None, None, None)
    assert (read_commit(scored.sig, scored.branch, LAST, STAGE.name) is None) == (where == "write_numbers")
    result = run_stage(scored, STAGE, LAST)
    first = stored(scored)
    assert row(scored, thread)[0] == first["sig"].resonance_frequency
    assert atlas.differences(scored.databases).equal
    again = run_stage(replace(scored, force=True), STAGE, LAST)
    assert not again.reused
    assert again.content_hash == result.content_hash
    assert [msgspec.structs.astuple(n) for n in stored(scored).values()] == [
        msgspec.structs.astuple(n) for n in first.values()
    ]
