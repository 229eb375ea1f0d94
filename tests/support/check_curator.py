"""The conformance suite of the curators: what every one of them must keep to, whatever it judges by."""

import copy
from collections.abc import Sequence
from dataclasses import replace

from lotus.curation.act import CurationAct, CurationKind
from lotus.curation.facts import JudgedDetector, NightFacts, Proposal
from lotus.curation.feed_health import DECIMALS, LAG, MID, FeedDay
from lotus.curation.law import Subjects, check_act
from lotus.curation.likeness import Likeness
from lotus.curation.registry import CuratorRole, powers
from lotus.timebase import next_day

DAY = "2026-01-20"
COINS = ("BTC", "ETH", "SOL")
COLUMNS = ("basis_bps", "imb_5", "mid")
NAMES = ("basis", "drift", "range")
KAPPA = 0.15


def honest_feed(day: str = DAY) -> FeedDay:
    """A day on which every coin's feed is whole."""
    nulls = {(coin, name): 0.01 for coin in COINS for name in COLUMNS}
    values = {
        (coin, series): value for coin in COINS for series, value in ((MID, 100.0), (LAG, 300.0), (DECIMALS, 3.0))
    }
    return FeedDay(day, nulls, values)


def honest_facts() -> NightFacts:
    """A night on which nobody has a cause to act."""
    detectors = [
        JudgedDetector(name, 1, 300, frozenset({column}), "experimental", 0.3 + k / 10, 14, (0.1, 0.2, 0.1), ())
        for k, (name, column) in enumerate(zip(NAMES, COLUMNS, strict=True))
    ]
    before = [honest_feed(next_day(DAY, -k)) for k in range(28, 0, -1)]
    alike = [Likeness("basis", "drift", 0.1, 0.0, 14), Likeness("drift", "range", 0.2, 0.0, 14)]
    return NightFacts("main", DAY, COINS, detectors, honest_feed(), before, alike, 0.01, 0.02)


def with_detector(facts: NightFacts, name: str, **changes: object) -> NightFacts:
    """The facts with one detector changed."""
    changed = [replace(d, **changes) if d.detector_id == name else d for d in facts.detectors]  # type: ignore[arg-type]
    return replace(facts, detectors=changed)


def vetoed(proposals: Sequence[Proposal]) -> list[str]:
    """What is vetoed, in order of name."""
    return sorted(p.target for p in proposals if p.kind == CurationKind.VETO)


def nudges(proposals: Sequence[Proposal]) -> dict[str, float]:
    """Log nudges by target."""
    return {p.target: p.value for p in proposals if p.kind == CurationKind.NUDGE}


def check_curator(role: CuratorRole, facts: NightFacts) -> None:
    """Assert the laws of a curator of sig on some facts.

    It changes none of them, says the same again and whatever the order of the detectors; all that it proposes is within
    the law; at a cap of zero it nudges nobody and vetoes as before; half a cap is half a nudge.
    """
    assert role.judge is not None
    kept = copy.deepcopy(facts)
    found = list(role.judge(facts, KAPPA))
    assert facts == kept
    assert list(role.judge(facts, KAPPA)) == found
    turned = role.judge(replace(facts, detectors=list(reversed(facts.detectors))), KAPPA)
    assert vetoed(turned) == vetoed(found)
    assert nudges(turned) == nudges(found)
    keys = [(p.kind, p.target) for p in found]
    assert len(set(keys)) == len(keys), "one proposal of a kind on a target"
    subjects = Subjects(tuple(d.detector_id for d in facts.detectors), facts.assets)
    for p in found:
        days = next_day(facts.day, 2), next_day(facts.day, 3)
        check_act(
            CurationAct("", facts.branch, facts.day, role.actor, p.kind, p.target, p.value, p.reason, "", *days),
            powers(), subjects,
        )  # fmt: skip
    assert not nudges(role.judge(facts, 0.0))
    assert vetoed(role.judge(facts, 0.0)) == vetoed(found)
    half = nudges(role.judge(facts, KAPPA / 2))
    assert all(abs(half[target] - log / 2) < 1e-12 for target, log in nudges(found).items())
