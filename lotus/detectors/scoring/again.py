"""The propensity of stored windows computed again, from what was logged of them and other tables, priors or settings.

Signal, evidence, surprise, crowd and bins are taken as they were; terms, beliefs, thresholds and floors are those of
the inputs given. Under the inputs of the windows the numbers are theirs bit for bit. Nothing is drawn. (Literature:
counterfactual policy, logged propensities.)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.scoring import signal_spec as spec
from lotus.detectors.scoring.records import ScoreInputs
from lotus.detectors.scoring.step import score_row, static_terms
from lotus.jit import kernel


class StoredWindows(NamedTuple):
    """Windows of SIGNAL_EVENTS as the kernel reads them, all [n]; bins u1 [n, 12]."""

    detector: NDArray[np.int64]  # place among the detectors of the inputs
    version: NDArray[np.int64]  # place among the priors of the inputs
    group: NDArray[np.int64]  # of the coin
    end_ms: NDArray[np.int64]
    evidence: NDArray[np.float64]
    hbar: NDArray[np.float64]
    crowd: NDArray[np.float64]
    bins: NDArray[np.uint8]


@kernel
def _drawn(inputs: ScoreInputs, windows: StoredWindows, row: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for i in range(len(out)):
        d = windows.detector[i]
        static_terms(inputs.terms, d, row)
        row[spec.O_MX] = windows.evidence[i]
        row[spec.O_HBAR] = windows.hbar[i]
        row[spec.O_CROWD] = windows.crowd[i]
        score_row(inputs, d, windows.version[i], windows.bins[i], windows.group[i], windows.end_ms[i], row)
        out[i] = row[spec.O_PI]


def drawn_again(inputs: ScoreInputs, windows: StoredWindows) -> NDArray[np.float64]:
    """Return pi f8[n] that windows would have had if nothing vetoed them."""
    out = np.empty(len(windows.detector))
    _drawn(inputs, windows, np.zeros(spec.N_FLOATS), out)
    return out
