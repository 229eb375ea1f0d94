"""`LessonLearner` keeps the conventions of scikit-learn, and says what `lab.learn` says."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from check_learner import check_learner
from sklearn.base import clone

import lotus_lab as lab
from lotus.errors import ConfigError, SchemaError

FEATURES = ["x_flow", "x_vol", "x_gap", "x_regime"]


@pytest.fixture(scope="module")
def one(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events of d0."""
    return events[events["detector_id"] == "d0"].reset_index(drop=True)


def logged(frame: pd.DataFrame) -> dict[str, Any]:
    """Return what `fit` takes by name."""
    return {name: frame[name] for name in ("ts", "asset", "published", "propensity", "horizon_s", "paper_payoff_bps")}


def test_it_keeps_the_conventions(one: pd.DataFrame) -> None:
    check_learner(lab.LessonLearner(), one, {"cost_bps": 1.5, "features": {"x_flow": "up"}})
    check_learner(lab.LessonLearner(max_literals=2), one, {"seed": 3})


def test_scikit_learn_clones_it(one: pd.DataFrame) -> None:
    learner = lab.LessonLearner(features={"x_flow": "up", "x_regime": "category"}, max_literals=2)
    assert clone(learner).get_params() == learner.get_params()
    assert clone(learner.fit(one)).get_params() == learner.get_params()


def test_features_apart_from_what_was_logged_teach_the_same(one: pd.DataFrame) -> None:
    whole = lab.LessonLearner().fit(one)
    apart = lab.LessonLearner().fit(one[FEATURES], one["payoff_bps"], **logged(one))
    assert list(apart.lessons_["uplift_bps"]) == list(whole.lessons_["uplift_bps"])
    assert list(apart.feature_names_in_) == list(whole.feature_names_in_)
    said = apart.decision_function(one[FEATURES], ts=one["ts"], asset=one["asset"])
    assert (said == whole.decision_function(one)).all()
    assert set(np.unique(said)) == {0.0, apart.report_.advised[0].tilt}


def test_an_array_has_numbered_features_and_values_may_be_one_for_all(one: pd.DataFrame) -> None:
    numbers = np.column_stack([one["x_flow"], one["x_regime"] == "calm"])
    given = logged(one) | {"horizon_s": 300}
    learner = lab.LessonLearner(features={"x_0": "monotone", "x_1": "category"}).fit(
        numbers, one["payoff_bps"], **given
    )
    assert list(learner.lessons_["rule"]) == ["x_0 >= 3 and x_1 = 1"]


def test_what_does_not_fit_is_told(one: pd.DataFrame) -> None:
    for wrong, kind, words in (
        (lambda: lab.LessonLearner(seed=-1).fit(one), ConfigError, "'-1'"),
        (lambda: lab.LessonLearner().fit(one[FEATURES], one["payoff_bps"][:5], **logged(one)), SchemaError, "5 values"),
        (lambda: lab.LessonLearner().fit(np.zeros(3), np.zeros(3)), SchemaError, "1 dimensions"),
        (lambda: lab.LessonLearner().fit(one, one["payoff_bps"]), SchemaError, "has no column"),
        (lambda: lab.LessonLearner().fit(3), SchemaError, "events are a int"),
        (lambda: lab.LessonLearner(features={"x_no": "up"}).fit(one), SchemaError, "x_no, which no file has"),
    ):
        with pytest.raises(kind, match=words):
            wrong()
