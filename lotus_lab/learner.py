"""`LessonLearner`: the learner by the conventions of scikit-learn, where they hold for logged draws.

Parameters are set when it is made and never changed by `fit`; what is learned ends with an underscore. What
scikit-learn has no word for (a draw's propensity, its time) is given to `fit` by name. scikit-learn itself is not
needed. Reference: Buitinck et al. (2013), "API design for machine learning software".
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lotus.errors import ConfigError, SchemaError
from lotus.own_signals.columns import FEATURE_PREFIX
from lotus_lab.learning import learn
from lotus_lab.reading.frames import arrow_of

if TYPE_CHECKING:
    from lotus_lab.report.learned import Report

_SIGNAL, _ASSET = "signal", "all"  # of events that are about one thing


class LessonLearner:
    """Learns lessons from logged draws; parameters are the keys of the configuration of `lotus learn`.

    After `fit`: `report_` (all that was found), `lessons_` (a data frame), `feature_names_in_`, `n_features_in_`.
    """

    def __init__(
        self,
        *,
        decision_horizon_s: int = 0,
        cost_bps: float = 0.0,
        fill_source: str = "executed",
        last_days: int = 365,
        half_life_days: float = 0.0,
        max_literals: int = 3,
        seed: int = 7,
        features: Mapping[str, Any] | None = None,
        columns: Mapping[str, str] | None = None,
        groups: Mapping[str, Any] | None = None,
        nightly: bool = False,
    ) -> None:
        self.decision_horizon_s = decision_horizon_s
        self.cost_bps = cost_bps
        self.fill_source = fill_source
        self.last_days = last_days
        self.half_life_days = half_life_days
        self.max_literals = max_literals
        self.seed = seed
        self.features = features
        self.columns = columns
        self.groups = groups
        self.nightly = nightly

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, as they were given; `deep` means nothing here."""
        return {name: getattr(self, name) for name in _parameters(type(self))}

    def set_params(self, **params: Any) -> "LessonLearner":
        """Set parameters, and return the learner itself; raises `ConfigError` for one that it does not have."""
        names = _parameters(type(self))
        for name in params:
            if name not in names:
                raise ConfigError(f"LessonLearner has no parameter {name!r}", ", ".join(names))
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def clone(self) -> "LessonLearner":
        """Return a learner with the same parameters that has learned nothing."""
        return type(self)(**self.get_params())

    def fit(self, X: Any, y: Any = None, **logged: Any) -> "LessonLearner":
        """Learn, and return the learner itself.

        `X` alone is a table of events. With `y` (the payoff in bps of what was published, NaN elsewhere) `X` holds the
        features [n, k], a frame or an array, and `logged` names the other columns: `ts`, `published`, `propensity` and
        `horizon_s`, each an array [n] or one value; `asset`, `detector_id`, `paper_payoff_bps` if there are any.
        """
        events = arrow_of(X) if y is None else _events(X, {"payoff_bps": y, **logged})
        settings = {name: value for name, value in self.get_params().items() if name != "nightly" and value is not None}
        self.report_: Report = learn(events, settings, nightly=self.nightly)
        self.lessons_ = self.report_.lessons
        self.feature_names_in_ = np.array([f["name"] for f in self.report_.facts["features"]], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return self

    def decision_function(self, X: Any, **logged: Any) -> NDArray[np.float64]:
        """Return the tilt of each row, logits [n]; `X` and `logged` (`ts`, `asset`, `detector_id`) as in `fit`."""
        return self.advise(X, **logged)["tilt"].to_numpy(dtype=np.float64)

    def predict(self, X: Any, **logged: Any) -> NDArray[np.int64]:
        """Return 1 where more should be published, -1 where less, 0 where nothing is known, int64 [n]."""
        return np.sign(self.decision_function(X, **logged)).astype(np.int64)

    def advise(self, X: Any, **logged: Any) -> pd.DataFrame:
        """Return the advice of `Report.advice` for each row; raises `ConfigError` before `fit`."""
        if not hasattr(self, "report_"):
            raise ConfigError("this LessonLearner has learned nothing", "`fit` before it is asked")
        return self.report_.advice(_events(X, logged) if logged else X)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called, as scikit-learn asks."""
        return hasattr(self, "report_")

    def __repr__(self) -> str:
        """Return the parameters that are not the default."""
        usual = inspect.signature(type(self)).parameters
        set_ones = {k: v for k, v in self.get_params().items() if v != usual[k].default}
        return f"LessonLearner({', '.join(f'{k}={v!r}' for k, v in set_ones.items())})"

    def _repr_html_(self) -> str:
        return self.report_._repr_html_() if hasattr(self, "report_") else f"<pre>{self!r}</pre>"


def _parameters(kind: type) -> Sequence[str]:
    return list(inspect.signature(kind).parameters)


def _events(features: Any, logged: Mapping[str, Any]) -> pa.Table:
    """Return features and the columns beside them as one table of events."""
    frame = _frame(features)
    if clash := sorted(set(frame.columns) & set(logged)):
        raise SchemaError(f"{', '.join(clash)} among the features and beside them", "each column once")
    columns = {"asset": _ASSET, "detector_id": _SIGNAL, **logged}
    for name, values in columns.items():
        if not isinstance(values, str) and np.ndim(values) and len(values) != len(frame):
            raise SchemaError(f"{len(values)} values of {name} beside {len(frame)} rows of X", "one for each row")
        frame[name] = values if isinstance(values, str) or not np.ndim(values) else np.asarray(values)
    return arrow_of(frame)


def _frame(features: Any) -> pd.DataFrame:
    """Return features as a frame of its own whose names begin as the format wants them."""
    if isinstance(features, np.ndarray):
        if features.ndim != 2:
            raise SchemaError(f"X has {features.ndim} dimensions", "two: rows and features")
        return pd.DataFrame(features, columns=[f"{FEATURE_PREFIX}{k}" for k in range(features.shape[1])])
    frame = features.copy() if isinstance(features, pd.DataFrame) else arrow_of(features).to_pandas()
    return frame.reset_index(drop=True).rename(
        columns=lambda name: name if str(name).startswith(FEATURE_PREFIX) else f"{FEATURE_PREFIX}{name}"
    )
