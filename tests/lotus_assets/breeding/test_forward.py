"""Forward days of candidates: from the second day on, each once, without later days, cut off anywhere the same rows."""

from typing import Any

import pytest

from lotus.coprocessor.gate import ENTRANTS_A_YEAR, SETTLE_AT
from lotus.simulation.breeding_world import BreedingWorld, world_days
from lotus_assets.breeding import forward
from lotus_assets.breeding.forward import in_shadow, score_forward
from lotus_store.ledger.beliefs.candidates import days_of
from tests.lotus_assets.breeding.forward_home import DAYS, LATEST, NIGHT, genome, may_enter


def rows(ctx: Any) -> list[tuple[Any, ...]]:
    """Return everything that was written, without the moment."""
    columns = "candidate_id, day, gain_bps, weight, spoken, variance, sums, e_value, peak, days, all_spoken, state"
    return ctx.sig.execute(f"SELECT {columns} FROM candidate_days ORDER BY 1, 2").fetchall()  # type: ignore[no-any-return]


def test_what_is_planted_is_shown_on_days_to_come_and_noise_is_not(ctx: Any) -> None:
    good, noise = may_enter(ctx.sig, genome()), may_enter(ctx.sig, genome("sign(delta(oi, 1m))"))
    found = score_forward(ctx)
    assert found["states"] == {good: "shown", noise: "shadow"}
    days = days_of(ctx.sig, "main")[good]
    assert days[0].day == DAYS[NIGHT + 2]
    assert days[-1].gate.peak >= SETTLE_AT
    assert days[-1].gate.days >= 10
    assert score_forward(ctx)["rows"] == 0
    assert [one.candidate_id for one in in_shadow(ctx)] == [noise]


def test_night_by_night_and_cut_off_the_rows_are_those_of_one_go(ctx: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    may_enter(ctx.sig, genome())
    may_enter(ctx.sig, genome("sign(delta(oi, 1m))"), NIGHT + 1)
    ctx.last = LATEST - 1
    score_forward(ctx)
    whole = rows(ctx)
    real, left = forward.put_candidate_day, [0]

    def cut(*args: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(*args)

    monkeypatch.setattr(forward, "put_candidate_day", cut)
    ctx.branch = "other"
    ctx.sig.execute("INSERT INTO candidate_life SELECT 'other', candidate_id, run, night, state, check_name, value,"
                    " bound, reason, body FROM candidate_life")  # fmt: skip
    for ctx.last in range(NIGHT, LATEST):
        for steps in (0, 1, 9):
            left[0] = steps
            try:
                score_forward(ctx)
            except KeyboardInterrupt:
                continue
    columns = "candidate_id, day, gain_bps, weight, spoken, variance, sums, e_value, peak, days, all_spoken, state"
    again = ctx.sig.execute(f"SELECT {columns} FROM candidate_days WHERE branch = 'other' ORDER BY 1, 2").fetchall()
    assert again == whole


def test_a_day_is_scored_without_the_days_after_it(ctx: Any) -> None:
    may_enter(ctx.sig, genome())
    ctx.last = 20
    score_forward(ctx)
    early = rows(ctx)
    ctx.made[21:] = world_days(BreedingWorld("null", 9, days=len(DAYS), assets=2, windows=120))[21:]
    ctx.last = 25
    score_forward(ctx)
    assert [row for row in rows(ctx) if row[1] <= DAYS[20]] == early


def test_a_day_whose_frames_went_is_passed_over(ctx: Any) -> None:
    name = may_enter(ctx.sig, genome())
    ctx.framed = DAYS[:20]
    score_forward(ctx)
    assert days_of(ctx.sig, "main")[name][-1].day == DAYS[19]


def test_what_a_model_may_have_read_of_never_counts(ctx: Any) -> None:
    until, never = genome(), genome("sign(delta(oi, 1m))")
    may_enter(ctx.sig, until, knows_until=DAYS[22])
    may_enter(ctx.sig, never, knows_until="")
    score_forward(ctx)
    found = days_of(ctx.sig, "main")
    assert list(found) == [until.canonical]
    assert found[until.canonical][0].day == DAYS[24]


def test_one_found_on_days_that_are_long_gone_stops_nobody(ctx: Any) -> None:
    old, sound = genome("sign(delta(oi, 1m))"), genome()
    may_enter(ctx.sig, old, night=2, knows_until=DAYS[41])
    may_enter(ctx.sig, sound)
    ctx.framed = DAYS[15:]
    score_forward(ctx)
    days = days_of(ctx.sig, "main")
    assert days[old.canonical][0].day == DAYS[43]
    assert days[sound.canonical][-1].day == days[old.canonical][-1].day == DAYS[-1]


def test_a_year_has_room_for_forty_and_at_once_for_thirty_two(ctx: Any) -> None:
    for k in range(ENTRANTS_A_YEAR + 3):
        may_enter(ctx.sig, genome(f"sign(ema(flow, {k + 20}s))"), knows_until="" if k < 12 else None)
    ctx.last = NIGHT
    assert len(in_shadow(ctx)) == 31  # those that can never be judged take no place
