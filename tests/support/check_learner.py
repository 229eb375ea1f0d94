"""The conventions of scikit-learn that a learner of logged draws keeps, as checks that take any such learner."""

import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lotus.errors import LotusError


def check_learner(learner: Any, events: pd.DataFrame, changed: Mapping[str, Any]) -> None:
    """Check a learner that has learned nothing; `changed` are parameters that it has, with other values."""
    _parameters_are_kept(learner, changed)
    _nothing_is_said_before_fit(learner, events)
    _fit_returns_itself_and_changes_nothing(learner, events)
    _fits_are_independent(learner, events)
    _order_and_pickle(learner, events)


def _parameters_are_kept(learner: Any, changed: Mapping[str, Any]) -> None:
    before = learner.get_params()
    other = learner.clone().set_params(**changed)
    assert other is not learner
    assert other.get_params() == {**before, **changed}
    assert learner.get_params() == before
    assert all(other.get_params()[name] is value for name, value in changed.items()), "taken as given, not copied"
    assert type(learner)(**before).get_params() == before
    with pytest.raises(LotusError, match="no parameter 'no_such'"):
        other.set_params(no_such=1, **changed)
    assert other.get_params() == {**before, **changed}
    assert all(f"{name}=" in repr(other) for name in changed)


def _nothing_is_said_before_fit(learner: Any, events: pd.DataFrame) -> None:
    assert not learner.__sklearn_is_fitted__()
    assert not [name for name in vars(learner) if name.endswith("_")]
    for ask in (learner.predict, learner.decision_function, learner.advise):
        with pytest.raises(LotusError, match="learned nothing"):
            ask(events)
    assert repr(learner) in learner._repr_html_()


def _fit_returns_itself_and_changes_nothing(learner: Any, events: pd.DataFrame) -> None:
    params, seen = learner.get_params(), events.copy(deep=True)
    assert learner.fit(events) is learner
    assert learner.get_params() == params
    pd.testing.assert_frame_equal(events, seen)
    learned = {name for name in vars(learner) if name not in params}
    assert learned
    assert all(name.endswith("_") for name in learned)
    assert learner.n_features_in_ == len(learner.feature_names_in_)
    assert learner.__sklearn_is_fitted__()
    said = learner.decision_function(events)
    assert said.shape == (len(events),)
    assert said.dtype == np.float64
    assert np.isfinite(said).all()
    assert (learner.predict(events) == np.sign(said)).all()
    assert not learner.clone().__sklearn_is_fitted__()


def _fits_are_independent(learner: Any, events: pd.DataFrame) -> None:
    first = learner.decision_function(events)
    half = events[events["ts"] < events["ts"].min() + pd.Timedelta(days=12)]
    learner.fit(half).fit(events)
    assert (learner.decision_function(events) == first).all()
    assert (learner.clone().fit(events).decision_function(events) == first).all()


def _order_and_pickle(learner: Any, events: pd.DataFrame) -> None:
    first = learner.decision_function(events)
    order = np.random.default_rng(1).permutation(len(events))
    assert (learner.clone().fit(events.iloc[order]).decision_function(events) == first).all()
    assert (learner.decision_function(events.iloc[order]) == first[order]).all()
    again = pickle.loads(pickle.dumps(learner))
    assert (again.decision_function(events) == first).all()
    assert again.get_params() == learner.get_params()
