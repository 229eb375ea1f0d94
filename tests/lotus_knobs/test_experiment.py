"""Trials of knobs: fair, repeatable, bounded, in turns; and what a plan in one is executed with."""

from collections import Counter

import numpy as np
import pytest

from lotus.errors import ConfigError
from lotus.knobs.experiment import FAIR, KnobExperiment, drawn_experiment, turn_of
from lotus.manifest import WeaveDefaults
from lotus.priors.types import ActiveBraid, Knob, Patch, Rule, priors_version
from lotus.timebase import BLOCK_MS, BLOCKS_PER_DAY, DAY_MS
from lotus.trading.plan.knob_choice import choice_of
from lotus.trading.plan.knobs import KNOBS, TRIED, ExecutionKnobs

WEAVE = WeaveDefaults()
RETRY, EXIT = "execution:retry", "execution:exit_slippage"


def test_a_draw_is_that_of_the_plan_whoever_asks() -> None:
    names = [f"plan {i}" for i in range(200)]
    first = {name: drawn_experiment(name, 5, TRIED, 0.5, 1.06, 7) for name in names}
    again = {name: drawn_experiment(name, 5, TRIED, 0.5, 1.06, 7) for name in reversed(names)}
    assert first == again
    assert {name: drawn_experiment(name, 5, TRIED, 0.5, 1.06, 8) for name in names} != first
    everyone = {name: drawn_experiment(name, 5, TRIED, 1.0, 1.06, 7) for name in names}
    assert all(everyone.values())
    assert all(everyone[name] == trial for name, trial in first.items() if trial), "the share does not move the sides"
    assert not any(drawn_experiment(name, 5, TRIED, 0.0, 1.06, 7) for name in names)
    assert drawn_experiment("a", 5, (), 1.0, 1.06, 7) is None


def test_sides_are_fair_and_the_share_is_kept() -> None:
    n = 20_000
    drawn = [drawn_experiment(f"p{i}", i * BLOCK_MS, TRIED, 0.3, 1.06, 7) for i in range(n)]
    taken = [trial for trial in drawn if trial is not None]
    assert len(taken) == pytest.approx(0.3 * n, abs=4 * (0.3 * 0.7 * n) ** 0.5)
    for key in TRIED:
        sides = [trial.arm for trial in taken if trial.key == key]
        assert sum(sides) == pytest.approx(FAIR * len(sides), abs=2 * len(sides) ** 0.5)
    successive = np.array([trial.arm for trial in taken]) - FAIR
    assert abs((successive[1:] * successive[:-1]).mean()) < 4 * 0.25 / len(taken) ** 0.5


def test_every_knob_meets_every_hour_of_the_day() -> None:
    for keys in (("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")):
        met = Counter(
            (turn_of(day * DAY_MS + block * BLOCK_MS, keys), block)
            for day in range(12)
            for block in range(BLOCKS_PER_DAY)
        )
        assert set(met) == {(key, block) for key in keys for block in range(BLOCKS_PER_DAY)}
        assert len(set(met.values())) == 1


def test_what_is_tried_are_knobs_and_one_step_stays_within_their_bounds() -> None:
    start = ExecutionKnobs()
    specs = {spec.key: spec for spec in KNOBS}
    for key in TRIED:
        value = getattr(start, specs[key].name)
        assert specs[key].low < value * WEAVE.phi_step < specs[key].high
        assert specs[key].low < value / WEAVE.phi_step < specs[key].high


@pytest.mark.parametrize("arm", [0, 1])
def test_the_knob_in_a_trial_is_moved_by_the_trial_alone(arm: int) -> None:
    braids = tuple(
        ActiveBraid(f"b {key}", "micro", f"execution.{key.split(':')[1]}", 60, Rule(),
                    Patch(knobs=(Knob(key, 1.03),)), scope="tr")
        for key in TRIED
    )  # fmt: skip
    version, trial = priors_version("main", 0, braids), KnobExperiment(RETRY, arm, FAIR, 1.06)
    free = choice_of(version, "", [0] * 12, 5, WEAVE)
    assert free.moved == {RETRY: pytest.approx(1.03), EXIT: pytest.approx(1.03)}
    tried = choice_of(version, "", [0] * 12, 5, WEAVE, trial)
    assert tried.moved == {EXIT: pytest.approx(1.03)} | ({RETRY: 1.06} if arm else {})
    assert tried.knobs.retry == pytest.approx(530.0 if arm else 500.0)


@pytest.mark.parametrize("changed", [{"arm": 2}, {"propensity": 0.0}, {"propensity": 1.0}, {"step": 0.0}])
def test_what_is_no_experiment_is_refused(changed: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="an experiment"):
        KnobExperiment(**({"key": RETRY, "arm": 1, "propensity": 0.5, "step": 1.06} | changed))  # type: ignore[arg-type]
