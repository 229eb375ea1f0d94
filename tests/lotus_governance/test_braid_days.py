"""The light of lessons near zero: what is not shown to pay over days, with the bound that is said, and no sooner."""

import numpy as np
import pytest

from lotus.governance.braid_days import crossing_zero


def day(**gains: float) -> dict[str, np.ndarray]:
    return {
        "braid_id": np.array([*gains], object), "detector_id": np.array(["d"] * len(gains), object),
        "gain_bps": np.array([*gains.values()]), "weight": np.full(len(gains), 2.0),
    }  # fmt: skip


def test_a_lesson_is_lit_where_its_bound_is_not_above_zero_and_only_while_it_is_there() -> None:
    days = [day(pays=4.0 + (-1) ** k, swings=1.0 + 9.0 * (-1) ** k, gone=-5.0) for k in range(6)]
    days[-1] = day(pays=5.0, swings=-8.0)
    (lit,) = crossing_zero(days)
    assert (lit.braid_id, lit.days) == ("swings", 6)
    gains = np.array([10.0, -8.0, 10.0, -8.0, 10.0, -8.0])
    error = gains.std(ddof=1) / np.sqrt(6) / 2.0
    assert lit.mean_bps == pytest.approx(gains.mean() / 2.0)
    assert lit.p05_bps == pytest.approx(lit.mean_bps - 2.0150483733 * error)


def test_below_five_days_nothing_is_said() -> None:
    assert crossing_zero([day(loses=-5.0)] * 4) == crossing_zero([]) == []
