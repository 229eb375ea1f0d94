"""What `lotus lessons` says of experiments: one that runs, one that ended, and a proposal that is none."""

from dataclasses import asdict

from lotus.manifest import WeaveDefaults
from lotus.priors.vocabulary import DEFAULT
from lotus.weave.taken_up import ExperimentRow
from lotus_cli.look.lessons_page import page
from lotus_store.facts.lessons import Night

RUNS = ExperimentRow(
    "b1", "l1", "surge", "", "experiment on a proposal", is_slow=True, floor=0.05, rise=2.5, is_on=True, days=6,
    drawn=12.34, budget=90.0, most_share=0.0091, e_against=0.7, contrast_bps=0.0123, contrast_se_bps=0.2,
)  # fmt: skip
ENDED = ExperimentRow("b2", "l2", "drift", "refuted", "e-process reached 21.0 after 40 blocks", days=10, budget=50.0)
ASKED = ExperimentRow("", "l3", "surge", "not taken up", "one runs on its detector")


def night(*rows: ExperimentRow) -> Night:
    experiments = tuple({**asdict(row), "rule": "oi high"} for row in rows)
    return Night("main", "2026-02-10", True, {}, (), (), {}, {}, experiments, (), WeaveDefaults(), DEFAULT)


def test_an_experiment_is_told_with_what_it_drew_and_found() -> None:
    text = page(night(RUNS, ENDED, ASKED), False, False)
    said = " ".join(text.split())
    assert "EXPERIMENTS on proposals * surge where oi high: runs; experiment on a proposal" in said
    assert "floor 0.050 on days drawn before, on until the next swap; drew 12.3 of 90 publications on 6" in said
    assert "at most 0.91% of a day; e-value against it 0.70; days on paid +0.012 +- 0.200 bps a window more" in said
    assert "drift where oi high: refuted; e-process reached 21.0" in said
    assert "surge: proposal l3 not taken up: one runs on its detector" in said
    assert max(map(len, text.splitlines())) <= 120


def test_a_night_without_one_says_nothing_of_them() -> None:
    assert "EXPERIMENTS" not in page(night(), False, False)
    assert night().as_json()["experiments"] == []
