"""Numbers of modules: what is planted is found and told, noise is not, thin evidence gives None and says why."""

import numpy as np
import pytest
from planted_windows import PER_DAY, noise, planted, steps_ms

from lotus.atlas.numbers import NO_SERIES, NOT_EXECUTED, ModuleNumbers, for_ledger, numbers_of_day
from lotus.atlas.series import MaturedWindows
from lotus.modules.intents import Module
from lotus.timebase import HOUR_MS

DAYS = 10  # of 12 hours: two or three blocks each


def numbers(windows: MaturedWindows) -> dict[str, ModuleNumbers]:
    rows = numbers_of_day("main", "2026-01-10", windows)
    assert [row.module for row in rows] == [module.value for module in Module]
    assert {(row.branch, row.day) for row in rows} == {("main", "2026-01-10")}
    return {row.module: row for row in rows}


def rhythm(per_hour: float) -> np.ndarray:
    return 2.0 * np.sin(2 * np.pi * per_hour * steps_ms(DAYS) / HOUR_MS)


def test_a_planted_rhythm_is_told_for_the_module_that_has_it() -> None:
    found = numbers(planted(1, rhythm(0.7), noise(1, DAYS)))
    assert found["sig"].resonance_frequency == pytest.approx(0.7, abs=0.01)
    assert found["sig"].resonance_false_alarm == pytest.approx(0.0, abs=1e-6)
    assert found["sig"].resonance_reason == ""
    assert found["tr"].resonance_frequency is None
    turned = numbers(planted(2, noise(2, DAYS), rhythm(1.1)))
    assert turned["tr"].resonance_frequency == pytest.approx(1.1, abs=0.01)
    assert turned["sig"].resonance_frequency is None


@pytest.fixture(scope="module")
def silent() -> list[ModuleNumbers]:
    """What is told of the alpha detector where nothing is planted."""
    return [numbers(planted(seed, noise(seed, DAYS), noise(seed + 50, DAYS)))["sig"] for seed in range(8)]


def test_white_noise_has_no_rhythm_and_says_so(silent: list[ModuleNumbers]) -> None:
    told = [one.resonance_frequency for one in silent if one.resonance_frequency is not None]
    assert len(told) <= 1
    assert np.median([one.resonance_false_alarm or 0.0 for one in silent]) > 0.1
    assert all("may be noise" in one.resonance_reason for one in silent if one.resonance_frequency is None)


@pytest.mark.parametrize("impact", [0.0, 1.0])
def test_the_effect_of_acting_is_the_planted_one(impact: float) -> None:
    sig = numbers(planted(3, noise(3, DAYS), noise(4, DAYS), impact))["sig"]
    assert sig.observer_low_bps is not None
    assert sig.observer_high_bps is not None
    assert sig.observer_low_bps <= impact <= sig.observer_high_bps
    assert sig.observer_high_bps - sig.observer_low_bps < 0.5
    assert sig.observer_published + sig.observer_held_out == DAYS * PER_DAY * 8
    told = for_ledger(sig).observer_effects
    assert told is not None
    assert (told["effect_bps"], told["published"]) == (sig.observer_effect_bps, sig.observer_published)


def test_bound_series_name_each_other_with_the_lag_turned() -> None:
    lead = noise(5, DAYS)
    found = numbers(planted(5, 3 * lead, 3 * np.roll(lead, 2)))
    sig, tr = found["sig"], found["tr"]
    assert (sig.entangled_with, sig.entangled_lag, tr.entangled_with, tr.entangled_lag) == ("tr", 2, "sig", -2)
    assert sig.entangled_chance is not None
    assert sig.entangled_chance < 0.005
    assert (sig.entangled_bits, sig.entangled_n) == (tr.entangled_bits, tr.entangled_n)
    assert for_ledger(tr).entanglement_data == {
        "with": "sig", "lag": -2, "bits": tr.entangled_bits, "null95": tr.entangled_null95,
        "chance": tr.entangled_chance, "steps": tr.entangled_n,
    }  # fmt: skip


def test_independent_series_are_seldom_bound(silent: list[ModuleNumbers]) -> None:
    assert sum((one.entangled_chance or 0.0) <= 0.05 for one in silent) <= 2
    assert np.median([one.entangled_chance or 0.0 for one in silent]) > 0.2


def test_too_little_evidence_gives_none_and_says_why() -> None:
    found = numbers(planted(6, noise(6, 1)[:PER_DAY], noise(7, 1)[:PER_DAY]))
    sig = found["sig"]
    assert sig.entangled_reason == f"{sig.entangled_n} steps with both, 100 are needed"
    assert "20 blocks are needed" in sig.observer_reason
    few = numbers(planted(6, noise(6, 0), noise(7, 0)))["sig"]
    assert few.resonance_reason == "0 samples, 50 are needed"
    for one in (few, found["dm"], found["vis"]):
        told = for_ledger(one)
        assert (told.resonance_frequency, told.observer_effects, told.entanglement_data) == (None, None, None)
    assert {found[m].resonance_reason for m in ("dm", "vis")} == {NO_SERIES}
    assert found["tr"].observer_reason == NOT_EXECUTED


def test_numbers_are_the_same_for_the_same_windows_in_any_order() -> None:
    windows = planted(8, rhythm(0.4), noise(8, DAYS))
    mixed = np.random.default_rng(0).permutation(len(windows.p))
    again = MaturedWindows(*(getattr(windows, name)[mixed] for name in MaturedWindows.__dataclass_fields__))
    assert numbers(again) == numbers(windows)
