"""`lotus pnl` on the demo's small home: sums add up, nets are the stored ones, what was not scored is told."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_home import Cli, Facts

from lotus.trading.accounts.pnl import AMOUNTS, COSTS, NO_EDGE
from lotus_store.branch_settings import write_branch_settings
from lotus_store.facts.pnl import beliefs
from lotus_store.lake import Lake
from lotus_store.tape.store import TapeStore

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

Columns = Mapping[str, NDArray[Any]]
PLACE = ("--branch", "demo-11", "--tape", "demo-11")


@pytest.fixture
def told(lotus: Cli) -> Facts:
    return lotus.json("pnl", *PLACE)


def test_the_demo_s_probes_are_told_by_detector_and_add_up(lotus: Cli) -> None:
    days = Lake(lotus.home / "lake").days("signal_eval", "demo-11")[:-1]  # the last one was taken from the exchange
    told = lotus.json("pnl", *PLACE, "--to", days[-1])
    (taped,) = [s for s in told["sources"] if s["fill_source"] == "tape_sim"]
    whole, parts = taped["total"], taped["detectors"]
    assert whole["trades"] == sum(line["trades"] for line in parts) == told["coverage"]["executed"] > 0
    for name in AMOUNTS:
        assert whole["usd"][name] == pytest.approx(sum(line["usd"][name] for line in parts), abs=1e-9)
    for line in (whole, *parts):
        costs = sum(line["usd"][name] for name in COSTS)
        assert line["usd"]["gross"] - costs == pytest.approx(line["usd"]["net"], abs=1e-9)
        above = line["net_interval"] is not None and line["net_interval"][0] > 0
        assert (NO_EDGE in line["verdict"]) == (not above)
    assert taped["largest_difference_bps"] < 1e-3
    stored = [Lake(lotus.home / "lake").read("signal_eval", "demo-11", day)["payoff_y"] for day in days]
    known = [y for part in stored for y in part.tolist() if y == y]
    assert whole["mean_bps"]["net"] == pytest.approx(sum(known) / len(known), abs=1e-3)


def test_the_daemon_s_paper_probes_are_told_beside_them_and_never_added(facts: Facts, told: Facts) -> None:
    (paper,) = [s for s in told["sources"] if s["fill_source"] == "paper_live"]
    status = facts["live"]["status"]["paper"]
    whole = paper["total"]
    assert whole["trades"] == status["probes"]
    assert whole["unfilled"] == status["unfilled"]
    assert whole["usd"]["net"] == pytest.approx(status["net_usd"], abs=1e-4)
    assert whole["usd"]["fees"] == pytest.approx(status["fees_usd"], abs=1e-4)
    assert paper["largest_difference_bps"] < 1e-2
    assert told["coverage"]["paper_without_window"] == 0


def test_the_page_says_the_same_and_what_was_not_scored(lotus: Cli, told: Facts, tmp_path: Path) -> None:
    target = tmp_path / "pnl.md"
    shown = lotus("pnl", *PLACE, "--page", target).stdout
    assert "| --- |" not in shown
    text = target.read_text()
    for source in told["sources"]:
        whole = source["total"]
        assert f"| all | {whole['trades']:,} | {whole['unfilled']:,} |" in text
        assert f"{whole['usd']['net']:+,.2f} |" in text
        assert (f"**{whole['verdict']}**" in text) == bool(whole["verdict"])
        assert all(f"| {line['label']} |" in text for line in source["detectors"])
        amounts = [f"{whole['usd'][name]:+,.2f}" for name in ("gross", "net")]
        assert f"Cumulative gross (g) {amounts[0]} and net (n) {amounts[1]} USD" in shown
        assert [f"{whole['trades']:,}", *amounts] in [line.split()[1:4] for line in shown.splitlines()]
    coverage = told["coverage"]
    assert f"dropped by a gap or the end of the tape: {coverage['gap']:,}" in text
    assert coverage["due"] == coverage["whole"] + coverage["gap"]
    assert coverage["published_due"] == coverage["executed"] + coverage["published_gap"]
    assert coverage["published"] == coverage["published_due"] + coverage["published_waiting"]


def test_curve_days_and_trades_tell_the_same_sums(lotus: Cli, told: Facts, tmp_path: Path) -> None:
    picture = tmp_path / "money.svg"
    one_by_one = lotus.json("pnl", *PLACE, "--trips", "--picture", picture)["sources"]
    assert picture.read_text().startswith("<svg")
    for source, same in zip(one_by_one, told["sources"], strict=True):
        assert "trips" not in same
        usd, trips = source["total"]["usd"], source["trips"]
        assert len(trips) == source["total"]["trades"]
        assert [t["time_ms"] for t in trips] == sorted(t["time_ms"] for t in trips)
        for name in ("gross", "net"):
            assert sum(t[f"{name}_usd"] for t in trips) == pytest.approx(usd[name], abs=1e-9)
            assert sum(d[f"{name}_usd"] for d in source["by_day"]) == pytest.approx(usd[name], abs=1e-9)
        assert source["deepest_fall_usd"] <= min(0.0, usd["net"])
    text = lotus("pnl", *PLACE, "--trips", "--wide").stdout
    assert sum(line.startswith("2026-01-") and ":" in line for line in text.splitlines()) == sum(
        len(source["trips"]) for source in one_by_one
    )


def test_before_fees_is_gross_less_spread_and_slippage(facts: Facts, told: Facts) -> None:
    (paper,) = [s["total"]["usd"] for s in told["sources"] if s["fill_source"] == "paper_live"]
    status = facts["live"]["status"]["paper"]
    assert "gross_usd" not in status
    assert status["before_fees_usd"] == pytest.approx(paper["gross"] - paper["spread"] - paper["slippage"], abs=1e-4)


def test_a_day_stands_alone_and_an_unknown_one_is_explained(lotus: Cli, told: Facts) -> None:
    one = lotus.json("pnl", *PLACE, "--day", told["days"][0])
    rest = lotus.json("pnl", *PLACE, "--from", told["days"][1])
    trades = [sum(s["total"]["trades"] for s in facts["sources"]) for facts in (told, one, rest)]
    assert trades[0] == trades[1] + trades[2]
    assert one["days"] == told["days"][:1]
    (taped,) = [s for s in one["sources"] if s["fill_source"] == "tape_sim"]
    assert taped["total"]["verdict"] == f"{NO_EDGE} (no interval; blocks: {taped['total']['blocks']})"
    assert "has no scored day" in lotus.refused("pnl", *PLACE, "--day", "2020-01-01")
    assert "branch nobody was never scored; expected: one of demo-11" in lotus.refused("pnl", "--branch", "nobody")
    lotus("pnl", "--day", told["days"][0], "--from", told["days"][0], code=2)


@pytest.mark.process("a recording is traded at a pace")
@pytest.mark.recordings
def test_a_recording_too_short_for_its_probes_claims_nothing(lotus: Cli, recordings: Path) -> None:
    """Half an hour of tape ends before any hour does; with horizons of seconds and minutes there are trades."""
    lotus("import", "--tape", "recorded", recordings / "hyperliquid-2025-09-04" / "frames.jsonl.gz")
    coins = [{"name": a.name, "sz_decimals": a.sz_decimals} for a in TapeStore(lotus.home, "recorded").header().assets]
    for branch, horizons in (("hours", [30, 300, 3600]), ("minutes", [30, 300])):
        sections = {"universe": {"assets": coins}, "outcomes": {"horizons_s": horizons}}
        write_branch_settings(lotus.home, branch, sections)
        place = ("--tape", "recorded", "--branch", branch)
        lotus("backfill", "--from", "2025-09-04", "--to", "2025-09-04", *place)
    nothing = lotus.json("pnl", "--tape", "recorded", "--branch", "hours")
    assert nothing["sources"] == []
    assert nothing["coverage"]["published"] > 0 == nothing["coverage"]["whole"]
    text = lotus("pnl", "--tape", "recorded", "--branch", "hours").stdout
    assert f"{NO_EDGE}: no window of these days was executed" in text
    assert "this page can claim nothing" in text
    (taped,) = lotus.json("pnl", "--tape", "recorded", "--branch", "minutes")["sources"]
    assert taped["total"]["trades"] > 20
    assert taped["largest_difference_bps"] < 1e-3
    assert NO_EDGE in taped["total"]["verdict"]


def test_break_even_tells_every_detector_and_style_at_every_tier(lotus: Cli) -> None:
    found = lotus.json("pnl", *PLACE, "--break-even")
    tiers, rows = found["tiers"], found["break_even"]
    whole = {row["style"]: row for row in rows if row["detector"] == "all"}
    assert set(whole) == {"cross", "join", "improve"}
    for style, row in whole.items():
        parts = [part for part in rows if part["style"] == style and part["detector"] != "all"]
        assert row["windows"] == sum(part["windows"] for part in parts) > 0
        assert row["edge_bps"] * row["windows"] == pytest.approx(sum(p["edge_bps"] * p["windows"] for p in parts))
        assert row["nets"] == sorted(row["nets"])
        assert len(row["nets"]) == len(tiers) == 7
    assert whole["cross"]["rested"] == 0.0
    assert "pays" in lotus("pnl", *PLACE, "--break-even").stdout
    assert "no style_payoffs from 2031" in lotus.refused("pnl", *PLACE, "--break-even", "--from", "2031-01-01")


def test_beliefs_in_money_agree_with_the_demo_and_price_what_was_kept_out_as_if_it_had_been_published(
    lotus: Cli, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = facts["money"]["days"][0]
    told = lotus.json("pnl", *PLACE, "--beliefs", "--from", day)
    assert told["days"] == facts["money"]["days"]
    without_truth = [x | {"if_known": None, "unpriced": 0} for x in facts["money"]["beliefs"]["styles"]]
    assert [x | {"unpriced": 0} for x in told["beliefs"]["styles"]] == without_truth
    assert told["beliefs"]["where_true"] == []
    text = lotus("pnl", *PLACE, "--beliefs").stdout
    assert "BELIEFS IN MONEY" in text
    assert "nan" not in text
    before = told["beliefs"]["styles"]
    with monkeypatch.context() as patched:  # every window that was published is now one that beliefs kept out
        patched.setattr(beliefs, "_read_events", _swapped(beliefs._read_events))
        swapped = lotus.json("pnl", *PLACE, "--beliefs", "--from", day)["beliefs"]["styles"]
    for now, then in zip(swapped, before, strict=True):
        assert now["dropped"] == then["with_beliefs"]


def test_break_even_and_beliefs_are_two_questions(lotus: Cli) -> None:
    assert "not both" in lotus("pnl", *PLACE, "--beliefs", "--break-even", code=2).stderr


def _swapped(read: Callable[..., Columns]) -> Callable[..., Columns]:
    def changed(*given: Any) -> Columns:
        events = dict(read(*given))
        u0 = np.where(events["published"].astype(bool), 40.0, -40.0)
        return events | {"u0": u0, "published": np.zeros(len(u0), bool)}

    return changed
