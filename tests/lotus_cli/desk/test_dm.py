"""`lotus dm calibration`: what nights stored, losers too; a sentence where nothing is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from small_home import Cli

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.knowledge.calibration import Cell, ScoreCalibration
from lotus.decision.knowledge.claims import ClaimSlope
from lotus.decision.knowledge.feedback import DecisionMemory, ExecutorScore
from lotus.decision.knowledge.nightly import SourceQuality
from lotus.decision.knowledge.plan_terms import LEVELS_BPS, Term, TermAccount
from lotus.decision.knowledge.reliability import CurveBin, ForecastQuality, SourceReliability
from lotus_cli.desk.dm import facts_of, page
from lotus_store.ledger.trading.knowledge import Knowledge

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

BRANCH = "demo-11"
KEY = ("det:loser@1", 300)


def a_night() -> tuple[Knowledge, tuple[SourceQuality, ...]]:
    """One source that loses in every regime and promised more than came."""
    cells = tuple(Cell((*KEY, regime), (0.1, 0.9), (-4.0, -1.5), 3.0, 300.0, 40.0) for regime in ("", "wild"))
    memory = DecisionMemory(
        (SourceReliability(*KEY, 0.2, 1.0, 2.0, "2026-01-05", 7),), (ExecutorScore("hl:maker", 0.6, 3),)
    )
    covariance = Covariance(("BTC",), np.array([[4.0]]), 60.0, 1, 0.1, 30)
    alike = {("det:a@1", "det:loser@1"): 0.7, ("det:b@1", "det:loser@1"): 0.1}
    known = Knowledge("2026-01-05", ScoreCalibration("2026-01-06", cells, 160.0, "v" * 32), memory, covariance, alike)
    curve = (CurveBin(7, 6.5, 0.7, 0.4, 0.2, 0.6, 2.0, -1.0),)
    return known, (SourceQuality(*KEY, ForecastQuality(7, 0.3, 0.25, 0.8, 0.69, -0.5, curve)),)


def test_a_loser_stands_in_the_page_as_silent() -> None:
    facts = facts_of(*a_night()) | {"branch": "main"}
    (row,) = facts["sources"]
    assert (row["support"], row["lambda"], row["reliability"], row["promises"]) == (40.0, 0.2, 0.2, 7)
    assert set(row["cells"]) == {"all", "wild"}
    lines = page(facts, None, wide=True).splitlines()
    assert "in force from 2026-01-06" in lines[0]
    at = next(k for k, line in enumerate(lines) if line.startswith(KEY[0]))
    assert lines[at].split() == [
        "det:loser@1", "300", "40", "-4.00", "to", "-1.50", "silent", "0.200", "-0.50", "7", "0.20", "0.30000",
        "0.25000", "0.80000", "0.69000",
    ]  # fmt: skip
    assert lines[at + 1].split()[0] == "wild"
    assert lines[at + 2] == "all promises: nothing was promised yet"
    assert "BTC 15.5" in lines[at + 3]
    assert lines[at + 4 : at + 6] == [
        "alike: det:a@1 and det:loser@1 +0.70",
        "executor hl:maker: 0.600 after 3 reports",
    ]
    curve = [line.split() for line in page(facts, KEY[0]).splitlines()]
    assert ["7", "0.700", "0.400", "0.200", "to", "0.600", "2.000", "-1.000", "outside"] in curve


def test_how_far_claims_were_kept_is_told() -> None:
    night, quality = a_night()
    slopes = (ClaimSlope(*KEY, 0, 0.0, -0.25, 0.3, 12, 2400), ClaimSlope("det:other@1", 60, 1, 0.5, 0.75, 0.1, 20, 50))
    facts = facts_of(replace(night, claims=slopes), quality) | {"branch": "main"}
    lines = [line.split() for line in page(facts, None, wide=True).splitlines()]
    assert ["det:loser@1", "300", "0", "0.000", "-0.250", "0.300", "12", "2,400"] in lines
    assert ["det:other@1", "60", "1", "0.500", "+0.750", "0.100", "20", "50"] in lines
    assert "claims of braids" not in page(facts_of(night, quality) | {"branch": "main"}, None)


def test_a_term_in_force_is_told_with_its_evidence() -> None:
    known, quality = a_night()
    weights, gains = (100.0,) * len(LEVELS_BPS), tuple(100.0 * (level == 16.0) for level in LEVELS_BPS)
    account = TermAccount(*KEY, Term.TAKE_PROFIT, weights, gains, 20, 30.0, 40.0, (4.0,) * 4, in_force=True)
    silent = replace(account, term=Term.CUT, in_force=False)
    told = page(facts_of(replace(known, terms=(silent, account)), quality) | {"branch": "main"}, None)
    (line,) = [line for line in told.splitlines() if line.startswith("term ")]
    assert line == (
        "term take_profit of det:loser@1 at 300 s: level 16.0 bps, gained +1.50 bps a window on 20 days out of sample, "
        "E 54.6"
    )


def test_after_the_demo_the_newest_night_is_told(lotus: Cli) -> None:
    """The days of the small home are too short for a source to be calibrated: that is said, not hidden."""
    facts = lotus.json("dm", "calibration", "--branch", BRANCH)
    text = lotus("dm", "calibration", "--branch", BRANCH).stdout
    assert [row["source"] for row in facts["sources"]] == []
    assert "no source has enough outcomes yet" in text
    assert facts["covariance"]["coins"] == ["BTC", "ETH"]
    assert facts["in_force_from"] > facts["day"]
    assert lotus.json("dm", "calibration", "--branch", BRANCH, "--day", facts["day"]) == facts


def test_where_nothing_is_known_it_is_said(fresh: Cli, lotus: Cli) -> None:
    assert "nothing is known on branch main" in fresh.refused("dm", "calibration")
    assert "nothing is known" in lotus.refused("dm", "calibration", "--branch", BRANCH, "--day", "2020-01-01")
    assert "det:nobody@1" in lotus.refused("dm", "calibration", "--branch", BRANCH, "--source", "det:nobody@1")


@pytest.mark.parametrize("day", ["today", "2026-13-01"])
def test_a_day_that_is_none_is_wrong_usage(fresh: Cli, day: str) -> None:
    fresh("dm", "calibration", "--day", day, code=2)


def test_a_hint_waits_for_a_daemon_and_may_be_withdrawn(new_home: Callable[[], Cli]) -> None:
    own = new_home()  # what is said stays there; the fresh home is one whose ledgers are empty
    words = ("dm", "hint", "BTC", "long", "--conviction", "0.6", "--horizon", "5m", "--who", "ada", "--note", "a gap")
    said = own.json(*words)
    assert (said["source"], len(said["id"])) == ("human:ada", 32)
    assert said["id"] in own("dm", "withdraw", said["id"]).stdout
    assert "no view" in own.refused("dm", "withdraw", "0" * 32)


def test_a_bad_hint_says_what_is_expected(fresh: Cli) -> None:
    words = ("--conviction", "0.6", "--who", "ada")
    assert "one of BTC" in fresh.refused("dm", "hint", "NOPE", "long", "--horizon", "5m", *words)
    assert "horizon_s is" in fresh.refused("dm", "hint", "BTC", "long", "--horizon", "900d", *words)
    for horizon in ("5", "0m", "5 m", "-1s"):
        fresh("dm", "hint", "BTC", "long", "--horizon", horizon, *words, code=2)
    fresh("dm", "hint", "BTC", "up", "--horizon", "5m", *words, code=2)
    fresh("dm", "hint", "BTC", "long", "--horizon", "5m", "--conviction", "1.1", "--who", "ada", code=2)
    fresh("dm", "hint", "BTC", "long", "--horizon", "5m", "--conviction", "0.5", code=2)
