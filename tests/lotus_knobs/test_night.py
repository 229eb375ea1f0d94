"""Knobs learned on simulated trials: a true effect becomes a bounded braid, dies and expires; nothing gives nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.knobs.night import KnobMemory, KnobNight, knob_manifest, knob_night
from lotus.knobs.rows import Observation, Table, expected_of, knob_scores, rows_of
from lotus.knobs.trial import drawn_trial
from lotus.learning.demean import demean
from lotus.learning.monitor import unpatched_residuals
from lotus.learning.rows import VENUE, rows_by_detector
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.knobs import knob_values
from lotus.priors.types import Literal, PriorsVersion, Rule, priors_0
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms, next_day
from lotus.trading.knobs import KNOBS
from lotus.weave.braid import Braid

pytestmark = pytest.mark.evidence("worlds of many nights")

RETRY = next(spec for spec in KNOBS if spec.name == "retry")
KEYS = {RETRY.owner: RETRY.key}
# fewer draws at a larger alpha: as many slots in a tenth of the time
MANIFEST = replace(Manifest(), learning=LearningDefaults(knob_alpha=0.05, knob_draws=400))
VOL = Rule.of(Literal(0, 3, 4))
BINS = [5, 3, 5, 5, 5, 5, 5, 5, 5, 4, 5, 5]
FIRST = "2026-01-01"

Effect = Callable[[int, np.ndarray], float]  # day number, bins -> bps that the moved side earns more


def trials(seed: int, number: int, day: str, effect: Effect, n: int = 400) -> list[Observation]:
    """Plans in trials of one day: outcomes scatter by 3 bps around a cost that changes by day, with fat tails."""
    rng = np.random.default_rng([seed, number])
    cost, out = -3.0 + rng.normal(), []
    for i in range(n):
        at_ms = day_start_ms(day) + int(rng.integers(DAY_MS))
        trial = drawn_trial(f"{seed} {day} {i}", at_ms, [RETRY.key], 1.0, 1.06, 7)
        assert trial is not None
        bins = rng.integers(0, BINS)
        outcome = cost + 2.1 * rng.standard_t(4) + trial.arm * effect(number, bins)
        text = "".join(map(str, bins))
        out.append(
            Observation(
                f"{day} {i}", RETRY.owner, "BTC", 60, at_ms, text, trial.arm, trial.propensity, outcome, "venue"
            )
        )
    return out


@dataclass
class Life:
    """A module that learns night after night."""

    seed: int
    effect: Effect
    manifest: Manifest = MANIFEST
    scores: dict[str, Table] = field(default_factory=dict)
    board: list[Braid] = field(default_factory=list)
    memory: KnobMemory = field(default_factory=KnobMemory)
    version: PriorsVersion = field(default_factory=lambda: priors_0("main"))
    day: str = FIRST
    number: int = 0

    def nights(self, n: int, plans: int = 400) -> Iterator[KnobNight]:
        for _ in range(n):
            seen = trials(self.seed, self.number, self.day, self.effect, plans)
            if seen:
                self.scores[self.day] = rows_of(seen, self.day, expected_of(self.scores.values()))
            swap = day_start_ms(next_day(self.day)) + 2 * HOUR_MS
            night = knob_night(self.scores, self.day, KEYS, self.version, self.board, swap, self.manifest, self.memory)
            self.board, self.memory, self.version = list(night.woven.braids), night.memory, night.woven.priors
            self.day, self.number = next_day(self.day), self.number + 1
            yield night

    def value(self, vol: int) -> float:
        """The multiplier of the knob a day after the last swap, in a volatility bin."""
        at, bins = self.version.effective_from_ms + DAY_MS, [vol] + 11 * [1]
        weave = self.manifest.weave
        return knob_values(self.version, "tr", RETRY.owner, bins, at, weave).get(RETRY.key, 1.0)


def in_high_volatility(bps: float, dies: int = 10**6) -> Effect:
    return lambda number, bins: bps if bins[0] >= 3 and number < dies else 0.0


@pytest.mark.parametrize("bps", [3.0, -3.0])
def test_a_true_effect_becomes_a_bounded_braid_and_is_reverted_when_it_dies(bps: float) -> None:
    life, weave = Life(1, in_high_volatility(bps, dies=18)), MANIFEST.weave
    sizes, kinds = [1.0], []
    for night in life.nights(18):
        sizes.append(life.value(4))
        kinds += [alert.kind for alert in night.woven.alerts]
    (braid,) = [b for b in life.board if b.in_force]
    assert (braid.detector_id, braid.rule, braid.sign, braid.scope) == (RETRY.owner, VOL, 1 if bps > 0 else -1, "tr")
    assert (braid.grade, kinds) == ("A", [])
    assert life.memory.learning_days == 18
    assert (sizes[-1] > 1.0) == (bps > 0)
    assert abs(np.log(sizes)).max() <= np.log(weave.phi_step) + 1e-9
    assert abs(np.diff(np.log(sizes))).max() <= np.log1p(weave.night_phi) + 1e-9
    assert life.value(0) == 1.0
    dead = [(i, alert.kind) for i, night in enumerate(life.nights(14)) for alert in night.woven.alerts]
    assert [kind for _, kind in dead] == ["reverted"]
    assert (life.value(4), life.version.braids) == (1.0, ())


def test_a_braid_ends_with_its_time_and_when_nobody_explores_any_more() -> None:
    short = replace(MANIFEST, weave=replace(MANIFEST.weave, ttl_days=4, extension_days=3))
    life = Life(1, in_high_volatility(3.0), short)
    kinds = [alert.kind for night in life.nights(24) for alert in night.woven.alerts]
    assert kinds[:2] == ["extended", "expired"]
    life = Life(1, in_high_volatility(3.0))
    list(life.nights(14))
    assert life.version.braids
    for night in life.nights(MANIFEST.weave.dry_days, plans=0):
        assert night.learned is None
    assert life.version.braids == ()
    assert life.memory.learning_days == 14, "days without evidence are no learning days"


@pytest.mark.parametrize("seed", [3, 4])
def test_nothing_to_find_gives_no_braid(seed: int) -> None:
    life = Life(seed, in_high_volatility(0.0))
    for night in life.nights(24):
        assert night.woven.braids == ()
        assert night.learned is not None
        assert night.learned.lessons == ()
    (effect,) = night.effects
    assert (effect.owner, effect.plans, effect.days) == (RETRY.owner, 24 * 400, 24)
    assert effect.ci95[0] < effect.mean_bps < effect.ci95[1]
    assert abs(effect.mean_bps) < 0.3
    assert life.memory.slots.rest.spent > 0, "it was looked at"


def test_an_effect_that_is_the_same_everywhere_is_shown_and_moves_nothing() -> None:
    life = Life(5, lambda number, bins: 1.5)
    *_, night = life.nights(14)
    (effect,) = night.effects
    assert effect.ci95[0] > 1.0
    assert [b for b in night.woven.braids if b.in_force] == []


def test_what_hurts_less_than_on_average_is_not_taken_up() -> None:
    life = Life(6, lambda number, bins: -1.0 if bins[0] >= 3 else -4.0)
    *_, night = life.nights(16)
    assert all(b.sign < 0 for b in night.woven.braids if b.in_force), "up never pays here"


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.floats(0.1, 0.9), st.floats(-50, 50), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    ),
    st.floats(-5, 5),
)
def test_a_score_is_the_surprise_of_the_side_that_was_drawn(given_, expected: float) -> None:
    made = [
        Observation(f"e{i}", RETRY.owner, "BTC", 60, block * 6 * HOUR_MS + i, "0" * 12, arm, p, y, "venue")
        for i, (arm, p, y, block) in enumerate(given_)
    ]
    table = rows_of(made, FIRST, {RETRY.owner: expected})
    assert set(table) == set(knob_scores("x").names)
    by_name = dict(zip(table["event_id"].tolist(), table["f"].tolist(), strict=True))
    for o in made:
        assert by_name[o.name] == pytest.approx((o.arm - o.propensity) * (o.outcome_bps - expected), abs=1e-9)
    (rows,) = rows_by_detector({FIRST: table}, 1).values()
    assert (rows.source[rows.published] == VENUE).all()
    left = unpatched_residuals(rows, ())
    assert left.weight.day == pytest.approx(rows.h)
    assert left.r.day == pytest.approx(demean(rows.basis(), rows.h, rows.f, rows.day, 1), abs=1e-6)


def test_what_was_expected_comes_from_earlier_outcomes_alone() -> None:
    days = [rows_of(trials(9, n, FIRST, in_high_volatility(0.0), 50), FIRST, {RETRY.owner: 99.0}) for n in range(2)]
    plain = np.concatenate([day["outcome"] for day in days]).mean()
    assert expected_of(days) == {RETRY.owner: pytest.approx(plain)}
    assert expected_of([]) == {}
    assert expected_of([rows_of([], FIRST, {})]) == {}


def test_knobs_spend_an_alpha_of_their_own_with_as_many_slots() -> None:
    shipped = Manifest().learning
    own = knob_manifest(Manifest()).learning
    assert (own.alpha, own.draws, own.looks) == (shipped.knob_alpha, shipped.knob_draws, "nightly")
    assert own.alpha * (own.draws + 1) >= 16
    assert 2 * own.alpha + shipped.alpha + shipped.pooled_alpha <= 0.07 + 1e-9


def test_rows_of_an_owner_that_is_no_more_are_left_out() -> None:
    life = Life(1, in_high_volatility(3.0))
    list(life.nights(2))
    old = replace(trials(2, 0, FIRST, lambda _number, _bins: 0.0, 1)[0], owner="tr.knobs.old")
    life.scores["2025-12-31"] = rows_of([old], "2025-12-31", {})
    (night,) = life.nights(1)
    assert [effect.owner for effect in night.effects] == [RETRY.owner]
    assert night.learned is not None
