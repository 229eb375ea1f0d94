"""States of the market that a Gaussian hidden Markov model sees in the days before a Monday; they only propose.

Three to five states with diagonal covariances, the count by the Bayesian information criterion; each run begins at
the groups of k-means around rows that lie far apart, so nothing is drawn. A path is over the whole sample, so
a window's state follows from later windows too: a tree is made of it (`distilled`), never a row. (Literature: hidden
Markov models of regimes, Hamilton 1989; Schwarz 1978.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from hmmlearn.hmm import GaussianHMM
from numpy.typing import NDArray

from lotus.hashing import round_learned

STATES: Final = (3, 4, 5)
ITERATIONS: Final[int] = 60
STAY: Final[float] = 0.95  # chance to stay at the start of a run
ROUNDS: Final[int] = 20  # of k-means
USUAL: Final[float] = 0.99  # share of rows that a group may begin at, the nearest to the middle
LEAST_VARIANCE: Final[float] = 1e-3  # of standardised columns
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StateProposal:
    """The state of each row, int64 [n], numbered by the mean of the first column, and the criterion of each count."""

    states: NDArray[np.int64]
    bic: tuple[float, ...]

    @property
    def many(self) -> int:
        """States that the criterion chose."""
        return STATES[int(np.argmin(self.bic))]


def propose(rows: Floats, lengths: Sequence[int]) -> StateProposal:
    """Return the states of standardised rows f8 [n, columns], sequences of these lengths one after the other."""
    models = [_fitted(rows, lengths, many) for many in STATES]
    bic = tuple(round_learned(np.array([model.bic(rows, list(lengths)) for model in models])).tolist())
    best = models[int(np.argmin(bic))]
    order = np.argsort(np.argsort(best.means_[:, 0], kind="stable"), kind="stable")
    return StateProposal(order[best.predict(rows, list(lengths))].astype(np.int64), bic)


def _fitted(rows: Floats, lengths: Sequence[int], many: int) -> GaussianHMM:
    model = GaussianHMM(
        many, covariance_type="diag", n_iter=ITERATIONS, tol=1e-4 * len(rows), min_covar=LEAST_VARIANCE, init_params=""
    )
    part = _grouped(rows, many)
    model.startprob_ = np.full(many, 1.0 / many)
    moves = (1.0 - STAY) / (many - 1)
    model.transmat_ = np.full((many, many), moves) + np.eye(many) * (STAY - moves)
    model.means_ = np.stack([rows[part == k].mean(axis=0) for k in range(many)])
    model.covars_ = np.stack([np.maximum(rows[part == k].var(axis=0), LEAST_VARIANCE) for k in range(many)])
    return model.fit(rows, list(lengths))


def _grouped(rows: Floats, many: int) -> NDArray[np.int64]:
    """Return the group of each row, none empty: k-means from the middle and the rows farthest from all before."""
    far = np.sum((rows - np.median(rows, axis=0)) ** 2, axis=1)
    usual = rows[far <= np.quantile(far, USUAL)]
    centres = usual[[int(np.argmin(np.sum((usual - np.median(rows, axis=0)) ** 2, axis=1)))]]
    for _ in range(many - 1):
        centres = np.concatenate([centres, usual[[int(np.argmax(_distances(usual, centres).min(axis=1)))]]])
    for _ in range(ROUNDS):
        near = np.argmin(_distances(rows, centres), axis=1)
        means = [rows[near == k].mean(axis=0) if np.any(near == k) else centres[k] for k in range(many)]
        centres = np.stack(means)
    part = np.argmin(_distances(rows, centres), axis=1)
    if len(np.unique(part)) < many:  # rows that do not differ enough
        part = np.arange(len(rows)) * many // len(rows)
    return np.asarray(part, np.int64)


def _distances(rows: Floats, centres: Floats) -> Floats:
    return np.stack([np.sum((rows - centre) ** 2, axis=1) for centre in centres], axis=1)
