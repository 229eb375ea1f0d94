"""Compositions across modules: where they begin, what their trials estimate, how they act and how they end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from styles_tried import DEEP, ELSEWHERE, IMPROVE, INSIDE, JOIN, ONE, OWN, tried

from lotus.detectors.entry_style import EntryStyle
from lotus.knobs.compositions import (
    NOT_TAKEN,
    SWITCHED_OFF,
    TAKEN,
    OtherModule,
    is_across,
    joint_blocks,
    joint_rule,
    rows_by_step,
    started,
)
from lotus.knobs.nightly import KnobEvidence, KnobMemory, KnobRun, learn_knobs
from lotus.knobs.rows import Table, rows_of
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.asset_context import ASSET
from lotus.priors.knobs import owner_in
from lotus.priors.types import IDENTITY, Literal, PriorsVersion, Rule, priors_version
from lotus.priors.vocabulary import N_BINS, rule_mask
from lotus.timebase import HOUR_MS, day_start_ms, next_day
from lotus.trading.plan.knob_choice import KnobChoice, choice_of
from lotus.trading.plan.knobs import STYLE_KEY
from lotus.weave.braid import Braid
from lotus.weave.meta import MetaState
from lotus_store.ledger.bodies import to_plain

KEYS = {JOIN: STYLE_KEY, IMPROVE: STYLE_KEY}
MANIFEST = replace(Manifest(), learning=LearningDefaults(knob_alpha=0.05, knob_draws=400))
FIRST = "2026-01-05"


def trials(seed: int, day: str, effects: Mapping[str, float], n: int = 400) -> tuple[Table, dict[str, str]]:
    """Return the scores of a day's trials, and the detectors by event."""
    observations, detectors = tried(seed, day, effects, n)
    return rows_of(observations, day, {}), detectors


@dataclass
class Life:
    """A trader whose lesson about joining is in force, beside one of sig about the detector `sweep`."""

    effects: dict[str, float]
    seed: int = 2
    own: Braid = OWN
    one: Braid = ONE
    is_on: bool = True
    scores: dict[str, Table] = field(default_factory=dict)
    memory: KnobMemory = field(default_factory=KnobMemory)
    day: str = FIRST

    def __post_init__(self) -> None:
        self.board = [self.own]
        self.version: PriorsVersion = priors_version("main", 1, (self.own.active(),))

    def nights(self, n: int) -> Iterator[KnobRun]:
        for _ in range(n):
            table, detectors = trials(self.seed, self.day, self.effects)
            self.scores = {self.day: table}  # the search sees the day alone: only compositions remember
            other = OtherModule([self.one], detectors) if self.is_on else None
            swap = day_start_ms(next_day(self.day)) + 2 * HOUR_MS
            night = learn_knobs(
                KnobEvidence(self.scores, self.day, KEYS, self.version, self.board, swap, other), MANIFEST, self.memory
            )
            self.board, self.memory, self.version = list(night.woven.braids), night.memory, night.woven.priors
            self.day = next_day(self.day)
            yield night

    def choice(self, detector: str, context: str = INSIDE) -> KnobChoice:
        bins = [255 if c == "-" else int(c) for c in context]
        at_ms = self.version.effective_from_ms + HOUR_MS
        return choice_of(self.version, context, bins, at_ms, MANIFEST.weave, detector_id=detector)

    def composed(self) -> list[Braid]:
        return [b for b in self.board if is_across(b) and b.in_force]


rules = st.lists(
    st.integers(0, 11).flatmap(
        lambda f: st.tuples(st.integers(0, N_BINS[f] - 1), st.integers(0, N_BINS[f] - 1)).map(
            lambda ends: Literal(f, min(ends), max(ends))
        )
    ),
    min_size=1, max_size=3, unique_by=lambda x: x.feature,
).map(lambda x: Rule.of(*x))  # fmt: skip


@given(rules, rules, st.integers(0, 2**32))
def test_a_joint_rule_holds_where_both_do_and_does_not_depend_on_their_order(a: Rule, b: Rule, seed: int) -> None:
    joint = joint_rule(a, b)
    assert joint == joint_rule(b, a)
    bins = np.random.default_rng(seed).integers(0, N_BINS, (500, 12)).astype(np.uint8)
    both = rule_mask(a, bins) & rule_mask(b, bins)
    axes = [{x.feature for x in rule.literals} for rule in (a, b)]
    if joint is not None:
        assert np.array_equal(rule_mask(joint, bins), both)
        assert set.intersection(*axes)
    elif set.intersection(*axes) and len(set.union(*axes)) <= 3:
        assert not both.any(), "they never hold together"


def test_pairs_that_share_an_axis_begin_a_candidate_each_way_once() -> None:
    table, detectors = trials(1, FIRST, {})
    today = rows_by_step(table, FIRST, detectors)
    assert today.keys() == {owner_in(o, d) for o in KEYS for d in ("sweep", "drift")}
    state = started(MetaState(), [OWN], [ONE], today, FIRST)
    back, on = state.running
    assert [(c.detector_id, c.parts.tilts[0], c.counted) for c in (back, on)] == [
        (owner_in(JOIN, "sweep"), NOT_TAKEN, 1), (owner_in(IMPROVE, "sweep"), TAKEN, 2),
    ]  # fmt: skip
    assert back.parents == ("t", "s")
    assert back.parts.rules == (Rule.of(Literal(0, 3, 4), Literal(5, 0, 2)),)
    assert started(state, [OWN], [ONE], today, FIRST) == state
    last = started(MetaState(), [replace(OWN, detector_id=IMPROVE)], [ONE], today, FIRST)
    assert [c.parts.tilts[0] for c in last.running] == [NOT_TAKEN], "there is no step above the last"


@pytest.mark.parametrize(
    ("own", "one"),
    [
        (OWN, replace(ONE, rule=Rule.of(Literal(5, 0, 2)))),
        (OWN, replace(ONE, rule=Rule.of(Literal(0, 0, 1)))),
        (OWN, replace(ONE, rule=Rule.of(Literal(0, 3, 4), Literal(ASSET, 1, 1)))),
        (OWN, replace(ONE, patch=IDENTITY)),
        (OWN, replace(ONE, state="sunset")),
        (OWN, replace(ONE, braid_type="field")),
        (OWN, replace(ONE, detector_id="unheard")),
        (OWN, replace(ONE, rule=Rule.of(Literal(0, 4, 4), Literal(1, 2, 2), Literal(2, 4, 4)))),
        (replace(OWN, sign=-1), ONE),
        (replace(OWN, state="archived"), ONE),
        (replace(OWN, detector_id="execution.retry"), ONE),
    ],
    ids=["no axis", "never both", "a coin", "no patch", "ended", "a field", "no windows", "rare", "down", "over",
         "another knob"],
)  # fmt: skip
def test_no_candidate_begins_where_there_is_nothing_to_compose(own: Braid, one: Braid) -> None:
    table, detectors = trials(1, FIRST, {})
    assert started(MetaState(), [own], [one], rows_by_step(table, FIRST, detectors), FIRST) == MetaState()


def test_trials_estimate_what_a_step_pays_inside_both_rules_whatever_it_pays_elsewhere() -> None:
    found: dict[str, list[float]] = {JOIN: [0.0, 0.0], IMPROVE: [0.0, 0.0]}
    for seed in range(20):
        table, detectors = trials(seed, FIRST, {JOIN: -4.0, IMPROVE: 2.0}, 1_000)
        today = rows_by_step(table, FIRST, detectors)
        for owner, sums in found.items():
            blocks = joint_blocks(today[owner_in(owner, "sweep")], DEEP, NOT_TAKEN if owner == JOIN else TAKEN)
            sums[0] += blocks.gain.sum()
            sums[1] += blocks.weight.sum()
    effects = {owner: gain / weight for owner, (gain, weight) in found.items()}
    assert effects == {JOIN: pytest.approx(4.0, abs=1.0), IMPROVE: pytest.approx(2.0, abs=1.0)}


@pytest.mark.parametrize(
    ("effects", "style"),
    [({JOIN: -6.0}, EntryStyle.CROSS), ({JOIN: 3.0, IMPROVE: 6.0}, EntryStyle.IMPROVE)],
)
def test_a_joint_effect_moves_the_style_of_one_detector_there_and_ends_with_it(
    effects: dict[str, float], style: EntryStyle
) -> None:
    life = Life(effects)
    assert life.choice("sweep").knobs.style is EntryStyle.JOIN
    verdicts = [c.verdict for night in life.nights(30) for c in night.across]
    (made,) = life.composed()
    assert verdicts.count("promoted") == 1
    assert (made.scope, made.parents, made.grade, made.sign) == ("cross", ("t", "s"), "A", 1)
    assert made.claim_bps == pytest.approx(0.85 * 6.0, abs=2.5)
    inside = life.choice("sweep")
    assert (inside.knobs.style, inside.composed) == (style, (made.braid_id,))
    for other in (life.choice("drift"), life.choice("sweep", ELSEWHERE), life.choice("")):
        assert (other.knobs.style, other.composed) == (EntryStyle.JOIN, ())
    life.effects = {owner: -effect for owner, effect in effects.items()}
    alerts = [(a.kind, a.scope) for night in life.nights(20) for a in night.woven.alerts]
    assert alerts == [("reverted", "cross")]
    assert life.choice("sweep").knobs.style is EntryStyle.JOIN


def test_it_ends_with_a_parent_by_a_rollback_and_when_it_is_switched_off() -> None:
    life = Life({JOIN: -6.0})
    list(life.nights(30))
    (made,) = life.composed()
    cases = {}
    for name in ("parent", "off", "rollback"):
        again = replace(life)
        again.board, again.version = list(life.board), life.version
        if name == "parent":
            again.one = ONE.moved_to("sunset", "reverted", life.day)
        elif name == "off":
            again.is_on = False
        else:
            again.version = priors_version("main", life.version.effective_from_ms, (OWN.active(),))
        (night,) = again.nights(1)
        assert again.composed() == []
        assert again.choice("sweep").knobs.style is EntryStyle.JOIN
        cases[name] = next(b.reason for b in again.board if b.braid_id == made.braid_id)
        assert any(e.braid_id == made.braid_id and e.new_state == "sunset" for e in night.woven.events)
    assert cases["parent"] == "parent s is no longer active"
    assert cases["off"] == SWITCHED_OFF
    assert cases["rollback"].startswith("rolled back to version")


def test_where_it_is_off_a_night_and_its_memory_are_as_if_there_were_none() -> None:
    life, other = Life({JOIN: -6.0}, is_on=False), Life({JOIN: -6.0}, one=replace(ONE, state="sunset"))
    for off, on in zip(life.nights(3), other.nights(3), strict=True):
        assert (off.woven, off.memory, off.effects) == (on.woven, on.memory, on.effects), "on without a pair is as off"
        assert off.across == on.across == ()
    assert "across" not in to_plain(life.memory), "what is remembered has the bytes of before"
