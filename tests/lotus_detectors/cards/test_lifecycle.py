"""The life of a version: every transition by its number, one a night, append-only, the same from the same numbers."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.detectors.cards.lifecycle import Life, LifecycleStage, Rules, StageTransition, VersionFacts, after_day
from lotus.errors import LookAheadError, SchemaError
from lotus.timebase import next_day

DAY = "2025-03-03"
RULES = Rules()
GOOD = VersionFacts("d", 1, 12, 300, (None,) * 3 + (0.35,) * 10)
ORDER = list(LifecycleStage)


def born(version: int = 1, stage: LifecycleStage = LifecycleStage.EXPERIMENTAL, day: str = "2025-01-01") -> Life:
    first = StageTransition("2025-01-01", "", "experimental", "first seen")
    later = () if stage is LifecycleStage.EXPERIMENTAL else (StageTransition(day, "experimental", stage, "made so"),)
    return Life("d", version, (first, *later))


def after(life: Life, facts: VersionFacts | None, day: str = DAY) -> Life:
    (found,) = after_day(day, [life], [] if facts is None else [facts])
    assert found.changes[: len(life.changes)] == life.changes
    return found


def test_a_version_is_born_experimental() -> None:
    (life,) = after_day(DAY, [], [GOOD])
    assert life == Life("d", 1, (StageTransition(DAY, "", "experimental", "first seen"),))


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        ({}, LifecycleStage.ACTIVE),
        ({"matured_days": 9}, LifecycleStage.EXPERIMENTAL),
        ({"published": 99}, LifecycleStage.EXPERIMENTAL),
        ({"sq": (0.299,)}, LifecycleStage.EXPERIMENTAL),
        ({"sq": (0.4, None)}, LifecycleStage.EXPERIMENTAL),
        ({"sq": ()}, LifecycleStage.EXPERIMENTAL),
        ({"failed_audits": ("leakage",)}, LifecycleStage.DEPRECATED),
        ({"sq": (0.19,) * 10}, LifecycleStage.DEPRECATED),
        ({"sq": (0.19,) * 9}, LifecycleStage.EXPERIMENTAL),
    ],
)
def test_promotion_needs_days_support_quality_and_audits(change: dict[str, object], stage: LifecycleStage) -> None:
    assert after(born(), replace(GOOD, **change)).stage is stage


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sq": (0.9, *(0.19,) * 10)}, "sq_score below 0.2 on 10 days in a row, last 0.190"),
        ({"failed_audits": ("leakage", "noise")}, "failed audit leakage"),
        ({"published": 19}, "only 19 publications in 20 days"),
        ({"sq": (*(0.19,) * 9, 0.2)}, ""),
        ({"sq": (*(0.19,) * 9, None)}, ""),
        ({"published": 20}, ""),
        ({"matured_days": 3}, ""),
    ],
)
def test_an_active_version_is_retired_by_a_named_number(change: dict[str, object], reason: str) -> None:
    life = after(born(stage=LifecycleStage.ACTIVE), replace(GOOD, **change))
    assert (life.changes[-1].reason if life.stage is LifecycleStage.DEPRECATED else "") == reason
    assert life.stage in (LifecycleStage.ACTIVE, LifecycleStage.DEPRECATED)


def test_what_is_no_longer_shipped_is_deprecated_and_then_archived() -> None:
    life = after(born(stage=LifecycleStage.ACTIVE), None)
    assert (life.stage, life.changes[-1].reason) == (LifecycleStage.DEPRECATED, "no longer shipped")
    assert after(life, None, next_day(DAY, 29)) == life
    old = after(life, GOOD, next_day(DAY, 30))
    assert (old.stage, old.since) == (LifecycleStage.ARCHIVED, next_day(DAY, 30))
    assert after(old, GOOD, next_day(DAY, 300)) == old


def test_an_active_successor_retires_its_predecessor_the_night_after() -> None:
    one, two = born(stage=LifecycleStage.ACTIVE), born(version=2)
    both = [GOOD, replace(GOOD, version=2)]
    first = after_day(DAY, [one, two], both)
    assert [x.stage for x in first] == [LifecycleStage.ACTIVE, LifecycleStage.ACTIVE]
    second = after_day(next_day(DAY), first, both)
    assert [x.stage for x in second] == [LifecycleStage.DEPRECATED, LifecycleStage.ACTIVE]
    assert second[0].changes[-1].reason == "version 2 is active"


def test_a_coin_that_pays_its_cost_lies_below_the_floor() -> None:
    assert 0.35 * 0.5 + 0.20 * 1.0 - 0.20 * 1.0 < RULES.sq_retire < RULES.sq_promote


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(LookAheadError):
        after_day("2025-01-01", [born()], [GOOD])
    with pytest.raises(SchemaError):
        after_day(DAY, [], [GOOD, GOOD])


nights = st.lists(
    st.lists(
        st.builds(
            VersionFacts,
            st.sampled_from(["a", "b"]),
            st.integers(1, 3),
            st.integers(0, 20),
            st.integers(0, 500),
            st.lists(st.none() | st.floats(0, 1), max_size=20).map(tuple),
            st.sampled_from([(), (), ("leakage",)]),
        ),
        unique_by=lambda f: (f.detector_id, f.version),
        max_size=6,
    ),
    max_size=40,
)


@settings(max_examples=examples(60), deadline=None)
@given(nights)
def test_lives_only_move_forward_and_are_only_appended_to(told: list[list[VersionFacts]]) -> None:
    lives: list[Life] = []
    for k, facts in enumerate(told):
        now = after_day(next_day(DAY, k), lives, facts)
        assert now == after_day(next_day(DAY, k), lives[::-1], facts[::-1])
        before = {(x.detector_id, x.version): x for x in lives}
        for life in now:
            old = before.pop((life.detector_id, life.version), None)
            if old is not None:
                assert life.changes[: len(old.changes)] == old.changes
                assert len(life.changes) - len(old.changes) <= 1
        assert not before
        lives = now
    for life in lives:
        places = [ORDER.index(LifecycleStage(c.new)) for c in life.changes]
        assert places == sorted(set(places))
        assert [c.old for c in life.changes] == ["", *(c.new for c in life.changes[:-1])]
