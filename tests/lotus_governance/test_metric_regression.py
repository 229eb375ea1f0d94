"""What moves without another version is named, and named again; what may move is not."""

import numpy as np
import pytest

from lotus.governance.metric_regression import METRICS, Columns, as_first_measured, metric_day, moved_metrics


def events(value: float, priors: str = "p") -> dict[str, np.ndarray]:
    columns = {name: np.array([value, value, 9.0]) for name in METRICS}
    return columns | {
        "detector_id": np.array(["d", "d", "d"], object), "s": np.array([1.0, -1.0, 0.0]),
        "priors_ver": np.array([priors, priors, "other"], object),
    }  # fmt: skip


def table(value: float, spec: str = "s", experts: str = "e", raw: str = "r", priors: str = "p") -> Columns:
    return metric_day(events(value, priors), {"d": spec}, experts, raw)


def test_a_number_that_moves_is_named() -> None:
    assert moved_metrics(table(0.5), table(0.5)) == []
    assert moved_metrics(table(0.5), table(0.5 * (1 + 0.9e-6))) == []
    moved = moved_metrics(table(0.5), table(0.5 * (1 + 2e-6)))
    assert {one.metric for one in moved} == set(METRICS)
    assert moved[0].words.startswith("det_sigma of d is 0.500001, was 0.5")


@pytest.mark.parametrize("other", [{"spec": "t"}, {"experts": "f"}, {"raw": "q"}, {"priors": "o"}])
def test_another_version_experts_tape_or_beliefs_may_move_it(other: dict[str, str]) -> None:
    assert moved_metrics(table(0.5), table(0.9, **other)) == []


def test_what_moved_is_told_until_the_version_is_another() -> None:
    moved = moved_metrics(table(0.5), table(0.9))
    stays = as_first_measured(table(0.5), table(0.9), moved)
    assert moved_metrics(stays, table(0.9)) == moved
    assert moved_metrics(stays, table(0.5)) == []
    nothing = metric_day({name: column[:0] for name, column in events(0.5).items()}, {"d": "s"}, "e", "r")
    assert np.isnan(nothing["value"]).all()
    assert moved_metrics(nothing, nothing) == []
    assert metric_day(events(0.5), {}, "e", "r")["value"].size == 0
