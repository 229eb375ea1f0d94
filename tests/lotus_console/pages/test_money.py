"""`lotus_console/pages/money.py`: the same draws with beliefs and without, computed again for new content alone."""

import numpy as np
import pytest
from sown import DAY, columns_of

from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import ConfigError
from lotus.outcomes.intervals import student
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.timebase import day_start_ms
from lotus_console.pages import money
from lotus_console.pages.money import money_facts
from lotus_console.reading import HomeReading
from lotus_store.lake import Lake
from tests.support.asgi_client import AsgiClient

DRAW = np.array([0.1, 0.4, 0.6, 0.9])
PI = np.array([0.5, 0.3, 0.7, 0.5])  # with beliefs; without them each is 1/2
PAID = np.array([10.0, -4.0, 6.0, 100.0])  # bps


def sow(reading: HomeReading, day: str = DAY, paid: np.ndarray = PAID) -> None:
    names = [f"{day}-{k}" for k in range(len(DRAW))]
    end = day_start_ms(day) + 60_000 * np.arange(len(DRAW))
    common = {"event_id": names, "detector_id": "micro_drift", "asset": "BTC", "window_end_ms": end}
    events = columns_of(SIGNAL_EVENTS, len(DRAW), **common, s=0.5, horizon_s=30, eligible=True, draw=DRAW, pi=PI,
                        u0=0.0, published=DRAW < PI, fired=(PI != 0.5).astype(np.int64))  # fmt: skip
    spec = signal_eval_spec(reading.settings.manifest.outcomes.horizons_s)
    outcomes = columns_of(spec, len(DRAW), **common, status="ok", payoff_p=paid, horizon_s=30)
    lake = Lake(reading.settings.lake_root)
    lake.write(SIGNAL_EVENTS, "main", day, events)
    lake.write(spec, "main", day, outcomes)


def test_a_home_without_a_scored_day_says_so(reading: HomeReading, browser: AsgiClient) -> None:
    with pytest.raises(ConfigError, match="lotus backfill"):
        money_facts(reading, {})
    assert browser.get("/beliefs/money").status == 400


def test_what_beliefs_brought_in_and_kept_out(reading: HomeReading) -> None:
    """The second window was kept out (-4 bps saved), the third brought in (+6): 10 bps of a probe are the gain."""
    sow(reading)
    facts = money_facts(reading, {})
    usd = facts["probe_usd"] / 1e4
    sides = {side["name"]: side for side in facts["sides"]}
    assert [(side["windows"], pytest.approx(side["usd"])) for side in facts["sides"]] == [
        (2, 16 * usd), (2, 6 * usd), (1, 6 * usd), (1, -4 * usd),
    ]  # fmt: skip
    assert sides["with beliefs"]["bps"] == pytest.approx(8.0)
    assert facts["moved"] == 2
    assert facts["expected_usd"] == pytest.approx((0.2 * 6 + 0.2 * 4) * usd)
    assert facts["title"].startswith(f"Beliefs earned {10 * usd:+,.2f} USD on 1 days")


def test_the_newest_seven_days_or_those_that_are_named(reading: HomeReading, browser: AsgiClient) -> None:
    for k in range(1, 10):
        sow(reading, f"2026-01-0{k}")
    facts = money_facts(reading, {})
    assert (facts["from"], facts["to"], facts["moved"]) == ("2026-01-03", "2026-01-09", 14)
    for text in ("0x10", "-1", "2026", "2026-01-0٣", "2026-01-03 "):  # all would sort before the first day or inside
        for name in ("from", "to"):
            with pytest.raises(ConfigError, match="YYYY-MM-DD"):
                money_facts(reading, {name: text})
    one = money_facts(reading, {"from": "2026-01-02", "to": "2026-01-02"})
    assert (one["from"], one["to"], one["moved"]) == ("2026-01-02", "2026-01-02", 2)
    for asked in ("from=2027-01-01", "to=2025-01-01", "from=" + "9" * 5000, "from=~' OR 1"):
        assert browser.get(f"/beliefs/money?{asked}").status == 400, asked


def test_it_is_computed_again_for_new_content_alone(reading: HomeReading, monkeypatch: pytest.MonkeyPatch) -> None:
    sow(reading)
    asked, compute = list[str](), money.beliefs_of
    monkeypatch.setattr(money, "beliefs_of", lambda *a, **k: (asked.append("once"), compute(*a, **k))[1])
    first = money_facts(reading, {})
    assert money_facts(reading, {}) == first
    assert len(asked) == 1
    sow(reading, paid=np.full(4, np.nan))
    again = money_facts(reading, {})
    assert len(asked) == 2
    assert (again["unpriced"], [side["windows"] for side in again["sides"]]) == (3, [0, 0, 0, 0])


def test_the_reach_of_a_sum_is_students_over_days() -> None:
    gains = np.array([1.0, -2.0, 4.0, 0.5, 3.0, -1.0])
    reach = money.sum_reach(gains.tolist())
    assert np.isnan(reach[:4]).all(), "too few days"
    for n in (5, 6):
        own = gains[:n]
        assert reach[n - 1] == pytest.approx(student(n) * np.sqrt(n) * own.std(ddof=1))
    assert money.sum_reach([]) == []
    rng = np.random.default_rng(5)
    held = [abs(days.sum()) <= money.sum_reach(days.tolist())[-1] for days in rng.normal(0.0, 3.0, (4000, 20))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.012), "of worlds in which beliefs earn nothing"
