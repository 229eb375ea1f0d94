"""The learner's score (`lotus.learning.effect`) against estimators and data that others published.

Open Bandit sample "men" logged by Bernoulli Thompson sampling (10,000 rows: item, click, propensity), as shipped inside
the obp 0.4.1 package (Saito et al. 2021, Apache 2.0); the expected values were computed once with that package's own
estimators. LaLonde's NSW experiment (445 rows; LaLonde 1986, Dehejia and Wahba 1999), as shipped inside causaldata
0.1.5 (MIT). EconML is installed with the project.
"""

from pathlib import Path

import numpy as np
import pytest

from lotus.learning.basis import KNOTS, placed
from lotus.learning.effect import effect_of, lane_sums
from lotus.learning.payoff_scores import score
from lotus.learning.rows import rows_by_detector
from lotus.priors.types import Literal, Rule
from lotus.simulation.learning_world import market, scores_of, track

DATA = Path(__file__).with_name("data")
ITEMS = 34
# obp 0.4.1: InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting, DirectMethod, DoublyRobust
OBP = {"ipw": 0.0027878211950716414, "snipw": 0.002973356133917591, "dm": 0.005145869685052476}
OBP["dr"] = 0.00306825631764995


@pytest.fixture(scope="module")
def bandit():
    """Return item shown, click, propensity, a policy to evaluate, and a plain model of clicks per item."""
    data = np.load(DATA / "open_bandit_men_bts.npz")
    item, click = data["item"].astype(int), data["click"].astype(float)
    chance = 1.0 + np.arange(ITEMS)
    model = (np.bincount(item, click, ITEMS) + 1.0) / (np.bincount(item, minlength=ITEMS) + 200.0)
    return item, click, data["pscore"], chance / chance.sum(), model


def value_of(bandit, outcome, model):
    """Return the policy's value from the product's score of "show item a", taken back to weight 1 by 1 / p(1-p)."""
    item, _, logged, chance, _ = bandit
    value = 0.0
    for a in range(ITEMS):
        shown = item == a
        p = np.where(shown, logged, 0.5)  # where a was not shown its propensity cancels
        f = score(p, shown, np.full(len(item), model[a]), outcome)
        value += chance[a] * float((f / (p * (1.0 - p))).mean())
    return value


def test_open_bandit_estimators(bandit):
    _, click, _, chance, model = bandit
    nothing = np.zeros(ITEMS)
    ipw = value_of(bandit, click, nothing)
    ours = {
        "ipw": ipw,
        "snipw": ipw / value_of(bandit, np.ones(len(click)), nothing),
        "dm": float(chance @ model),
        "dr": value_of(bandit, click, model),
    }
    assert ours.keys() == OBP.keys()
    for name, theirs in OBP.items():
        assert ours[name] == pytest.approx(theirs, abs=1e-12), name


def arm(p, taken, outcome, model):
    """Return the mean outcome of one arm by the product's score, normalised by the same score of ones."""
    blank = np.zeros(len(outcome))
    if model is None:
        return score(p, taken, blank, outcome).sum() / score(p, taken, blank, np.ones(len(outcome))).sum()
    return (score(p, taken, model, outcome) / (p * (1.0 - p))).mean()


@pytest.fixture(scope="module")
def nsw():
    """Return treatment, earnings of 1978 and covariates of the NSW experiment."""
    table = np.genfromtxt(DATA / "lalonde_nsw.csv", delimiter=",", names=True)
    names = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")
    return table["treat"] == 1, table["re78"], np.stack([table[n] for n in names], axis=1)


def test_lalonde_experiment(nsw):
    treated, earned, _ = nsw
    assert (treated.sum(), (~treated).sum()) == (185, 260)
    p = np.full(len(earned), 185 / 445)
    effect = arm(p, treated, earned, None) - arm(1.0 - p, ~treated, earned, None)
    assert effect == pytest.approx(1794.34, abs=0.01)


def test_lalonde_with_covariates_as_control(nsw):
    """A regression per arm as control moves the estimate by far less than its standard error of about 670."""
    treated, earned, x = nsw
    p = np.full(len(earned), 185 / 445)
    design = np.concatenate([np.ones((len(x), 1)), (x - x.mean(axis=0)) / x.std(axis=0)], axis=1)
    means = [design @ np.linalg.lstsq(design[side], earned[side], rcond=None)[0] for side in (treated, ~treated)]
    effect = arm(p, treated, earned, means[0]) - arm(1.0 - p, ~treated, earned, means[1])
    assert effect == pytest.approx(1679, abs=150)


class Given:
    """A nuisance that is known; covariates end with (propensity, modelled payoff), then the treatment, if any."""

    def fit(self, *_data, **_weights):
        """Learn nothing."""
        return self

    def get_params(self, **_deep):
        """Return nothing to set, for sklearn's clone."""
        return {}


class LoggedChance(Given):
    """The propensity in the log."""

    def predict_proba(self, x):
        """Return the chances of not publishing and publishing."""
        return np.stack([1.0 - x[:, -2], x[:, -2]], axis=1)


class ModelledPayoff(Given):
    """The modelled payoff."""

    def predict(self, x):
        """Return what a window is modelled to pay: nothing unless it is published."""
        return x[:, -1] * x[:, -2]


@pytest.fixture(scope="module")
def design():
    """Return a world with one strong lesson as rows, the lesson's windows, and the true mean payoff."""
    rule = Rule.of(Literal(4, 3, 4))
    place = market(11, 20, 864)
    one = track(place, "plant", lessons=((rule, 6.0),))
    rows = rows_by_detector(scores_of(place, one), 20)["d0"]
    return rows, rows.covered(rule), one.mean


def econml_effects(rows, inside, regression):
    """Return LinearDRLearner's effect inside and outside the rule, windows weighted by p(1-p), propensity given."""
    learner_of = pytest.importorskip("econml.dr").LinearDRLearner
    paid = np.where(rows.published, rows.payoff_y, 0.0)  # nothing published earns nothing
    known = np.concatenate([placed(rows.u0, KNOTS).dense(), rows.p[:, None], rows.payoff_p[:, None]], axis=1)
    learner = learner_of(
        model_propensity=LoggedChance(), model_regression=regression, min_propensity=1e-6, cv=5, random_state=0
    )
    side = inside[:, None].astype(float)
    learner.fit(paid, rows.published.astype(int), X=side, W=known, sample_weight=rows.h)
    return [float(learner.effect(np.array([[value]]))[0]) for value in (1.0, 0.0)]


def test_econml_with_the_same_nuisances_is_the_same_number(design):
    rows, inside, _ = design
    ours = [effect_of(lane_sums(rows, rows.f, rows.basis(), side), np.ones(20)).net_mean for side in (inside, ~inside)]
    assert econml_effects(rows, inside, ModelledPayoff()) == pytest.approx(ours, rel=1e-9)


def test_econml_with_its_own_regression_agrees_within_one_error(design):
    rows, inside, mean = design
    ridge = pytest.importorskip("sklearn.linear_model").Ridge(1.0)
    for side, theirs in zip((inside, ~inside), econml_effects(rows, inside, ridge), strict=True):
        ours = effect_of(lane_sums(rows, rows.f, rows.basis(), side), np.ones(20))
        assert theirs == pytest.approx(ours.net_mean, abs=ours.se)
        assert ours.net_mean == pytest.approx((rows.h * mean)[side].sum() / rows.h[side].sum(), abs=4 * ours.se)
