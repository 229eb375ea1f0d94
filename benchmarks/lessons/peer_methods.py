"""The methods of the contest: each takes the windows of one detector and returns the rules it would report.

What a method is given is what its users have: published windows with their payoffs for those that know no propensity;
treatment, outcome, bins, and the logged logit as control for the causal ones (their propensity model is a logistic
regression that contains it). A reported group needs the method's own evidence: leaves of EconML's interpreter trees
whose 95 % interval excludes the mean over all windows; leaves of its policy tree when it treats some and not others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.axes import axes
from lotus.learning.boxes import box_moments
from lotus.learning.cube import accumulate
from lotus.learning.naive import naive_table
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Rule

Floats = NDArray[np.float64]
MIN_LEAF = 100
TRAINED = 40_000  # windows at most for the forests, drawn evenly


@dataclass(frozen=True, slots=True)
class Found:
    """One reported group: which windows it covers and the sign of its effect."""

    mask: NDArray[np.bool_]
    sign: int


Run = Callable[[Mapping[str, Columns], DetectorRows, LearningDefaults], list[Found]]


@dataclass(frozen=True, slots=True)
class Method:
    """How to run a method, the package it needs ("" = none), and about how many CPU seconds its three worlds take."""

    run: Run
    package: str = ""
    cost: float = 5.0


def lotus(scores: Mapping[str, Columns], rows: DetectorRows, settings: LearningDefaults) -> list[Found]:
    """Return the lessons of the product's night."""
    result = learn_night(scores, replace(Manifest(), learning=settings))
    return [Found(rows.covered(x.rule), x.sign) for x in result.lessons]


def naive_lift(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the best rule of up to three literals by the t of mean payoff inside against all, if Bonferroni allows."""
    from scipy.stats import norm

    space, once = axes(), np.ones(1)
    taken = rows.published.astype(np.float64)
    paid = np.where(rows.published, rows.payoff_y, 0.0)
    lane = np.zeros(len(rows), np.int64)
    sums = (space.lean(accumulate(rows.bins, lane, x, 1, space.subsets)) for x in (taken, paid))
    n, s = (box_moments(x, once, *space.table)[0] for x in sums)
    y = rows.payoff_y[rows.published]
    enough = n >= MIN_LEAF
    t = np.where(enough, (s / np.maximum(n, 1.0) - y.mean()) / (y.std() / np.sqrt(np.maximum(n, 1.0))), 0.0)
    best = int(np.argmax(np.abs(t)))
    if 2.0 * norm.sf(abs(t[best])) > 0.05 / enough.sum():
        return []
    return [Found(rows.covered(space.rule(best)), int(np.sign(t[best])))]


def hit_rate(scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the key of one or two conditions whose hit rate differs most, if its p value is below 5 %."""
    top = naive_table(scores, top=1)
    return [Found(rows.covered(x.rule), 1 if x.lift > 0 else -1) for x in top if x.p_value < 0.05]


def pysubgroup(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the two best subgroups of up to three selectors by beam search on the mean payoff of published windows."""
    import pandas as pd
    import pysubgroup as ps

    bins, y = rows.bins[rows.published], rows.payoff_y[rows.published]
    frame = pd.DataFrame({f"x{k}": bins[:, k].astype(float) for k in range(bins.shape[1])}).assign(y=y)
    space = [
        ps.IntervalSelector(f"x{x.feature}", float(x.low), float(x.high) + 1.0)
        for rule in _singles()
        for x in rule.literals
    ]
    task = ps.SubgroupDiscoveryTask(
        frame, ps.NumericTarget("y"), space, result_set_size=2, depth=3, qf=ps.StandardQFNumeric(0.5)
    )
    best = ps.BeamSearch(beam_width=20).execute(task)
    whole = pd.DataFrame({f"x{k}": rows.bins[:, k].astype(float) for k in range(bins.shape[1])})
    return [Found(np.asarray(rule.covers(whole), dtype=np.bool_), 1) for _, rule, _ in best.results]


def figs(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the leaves of FIGS with eight splits on published windows, signed against the mean of their tree."""
    from imodels import FIGSRegressor

    bins, y = rows.bins[rows.published].astype(float), rows.payoff_y[rows.published]
    model = FIGSRegressor(max_rules=8).fit(bins, y)
    found: list[Found] = []
    for tree in model.trees_:
        found += _leaves_of_figs(tree, rows.bins.astype(float), np.ones(len(rows), np.bool_))
    return found


def skope_rules(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return SkopeRules' rules for a hit among published windows."""
    import pandas as pd
    from imodels import SkopeRulesClassifier

    bins, hit = rows.bins[rows.published].astype(float), rows.hit[rows.published]
    names = [f"x{k}" for k in range(bins.shape[1])]
    model = SkopeRulesClassifier(max_depth=3, n_estimators=10, random_state=0).fit(bins, hit, feature_names=names)
    whole = pd.DataFrame(rows.bins.astype(float), columns=names)
    return [Found(np.asarray(whole.eval(str(rule.rule)), dtype=np.bool_), 1) for rule in model.rules_]


def policy_tree(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the leaves of EconML's DRPolicyTree of depth three: where does publishing beat the mean payoff?"""
    from econml.policy import DRPolicyTree

    y, t, x, w = _causal(rows)
    model = DRPolicyTree(max_depth=3, min_samples_leaf=500, random_state=0, **_nuisances()).fit(
        y - y.mean(), t, X=x, W=w
    )
    leaf = model.policy_model_.apply(rows.bins.astype(float))
    value = model.policy_model_.tree_.value
    effects = {k: float(value[k].ravel()[1] - value[k].ravel()[0]) for k in np.unique(leaf)}
    middle = float(np.average(list(effects.values()), weights=[(leaf == k).sum() for k in effects]))
    if len({v > 0.0 for v in effects.values()}) < 2:
        return []
    return [Found(leaf == k, 1 if v > middle else -1) for k, v in effects.items()]


def linear_dr(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the leaves of a tree of depth three over LinearDRLearner's effects."""
    from econml.dr import LinearDRLearner

    y, t, x, w = _causal(rows)
    model = LinearDRLearner(random_state=0, cv=2, **_nuisances()).fit(y, t, X=x, W=w)
    return _tree_leaves(model, rows)


def forest_dr(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the leaves of a tree of depth three over ForestDRLearner's effects."""
    from econml.dr import ForestDRLearner

    y, t, x, w = _causal(rows, TRAINED)
    model = ForestDRLearner(random_state=0, cv=2, n_estimators=100, min_samples_leaf=100, n_jobs=1, **_nuisances()).fit(
        y, t, X=x, W=w
    )
    return _tree_leaves(model, rows)


def causal_forest(_scores: Mapping[str, Columns], rows: DetectorRows, _settings: LearningDefaults) -> list[Found]:
    """Return the leaves of a tree of depth three over CausalForestDML's effects."""
    from econml.dml import CausalForestDML
    from sklearn.linear_model import LogisticRegression, Ridge

    y, t, x, w = _causal(rows, TRAINED)
    model = CausalForestDML(
        model_y=Ridge(1.0), model_t=LogisticRegression(), discrete_treatment=True, n_estimators=100,
        min_samples_leaf=100, random_state=0, cv=2, n_jobs=1,
    ).fit(y, t, X=x, W=w)  # fmt: skip
    return _tree_leaves(model, rows)


def _singles() -> list[Rule]:
    space = axes(1)
    return [space.rule(i) for i in range(space.n_rules)]


def _causal(rows: DetectorRows, most: int = 10**9) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    """Return outcome (nothing published earns nothing), treatment, bins as numbers, and the logit as control."""
    at = np.arange(len(rows)) if len(rows) <= most else np.linspace(0, len(rows) - 1, most).astype(np.int64)
    y = np.where(rows.published, np.nan_to_num(rows.payoff_y), 0.0)[at]
    return y, rows.published[at].astype(np.int64), rows.bins[at].astype(np.float64), rows.u0[at, None]


def _nuisances() -> dict[str, object]:
    from sklearn.linear_model import LogisticRegression, Ridge

    return {"model_propensity": LogisticRegression(), "model_regression": Ridge(1.0), "min_propensity": 0.02}


def _tree_leaves(model: object, rows: DetectorRows) -> list[Found]:
    """Return leaves of EconML's tree interpreter whose mean effect is away from the whole by its own interval."""
    from econml.cate_interpreter import SingleTreeCateInterpreter

    some = rows.bins[:: max(1, len(rows) // 10_000)].astype(np.float64)
    tree = SingleTreeCateInterpreter(include_model_uncertainty=True, max_depth=3, min_samples_leaf=50)
    tree.interpret(model, some)
    whole = model.effect(some)  # type: ignore[attr-defined]
    leaves = tree.tree_model_.apply(rows.bins.astype(np.float64))
    inside = tree.tree_model_.apply(some)
    found = []
    for leaf in np.unique(inside):
        answer = model.effect_inference(some[inside == leaf]).population_summary()  # type: ignore[attr-defined]
        low, high = (float(v) for v in answer.conf_int_mean(alpha=0.05))
        if low > whole.mean() or high < whole.mean():
            found.append(Found(leaves == leaf, 1 if low > whole.mean() else -1))
    return found


def _leaves_of_figs(node: object, bins: Floats, inside: NDArray[np.bool_]) -> list[Found]:
    left, right = node.left, node.right  # type: ignore[attr-defined]
    if left is None and right is None:
        value = float(np.ravel(node.value)[0])  # type: ignore[attr-defined]
        return [Found(inside, 1 if value > 0 else -1)]
    below = bins[:, node.feature] <= node.threshold  # type: ignore[attr-defined,index]
    return [*_leaves_of_figs(left, bins, inside & below), *_leaves_of_figs(right, bins, inside & ~below)]


METHODS = {
    "lotus": Method(lotus),
    "naive-lift": Method(naive_lift),
    "hit-rate": Method(hit_rate),
    "pysubgroup": Method(pysubgroup, "pysubgroup"),
    "figs": Method(figs, "imodels"),
    "skope-rules": Method(skope_rules, "imodels"),
    "policy-tree": Method(policy_tree, "econml"),
    "linear-dr": Method(linear_dr, "econml"),
    "forest-dr": Method(forest_dr, "econml", 40.0),
    "causal-forest": Method(causal_forest, "econml", 40.0),
}
