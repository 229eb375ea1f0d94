"""Windows scored with other voters are what the scorer itself gives when the evidence is another."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.scoring.signal_spec import NO_CONFIRMATION
from lotus.detectors.windows import row_spec as win
from lotus.errors import SchemaError
from lotus.governance.credit.masked import Ballot, VotedWindows
from lotus.priors.types import priors_0

BALLOT = Ballot(("a", "b", "c"), (1.0, 0.5, 2.0), (1.0, 1.0, 0.0), (True, True, False), 2.0, ((0.0, 0.1), (1.0, 0.95)))


def scored_with(chain, up, confirms):
    """Events of a day whose windows close with this evidence and confirmation."""
    m, whole = chain.manifest, chain.windows[12]
    floats = whole.floats.copy()
    floats[:, win.F_MX], floats[:, win.F_CONFIRM] = up, confirms
    windows = replace(whole, floats=floats)
    return score_windows(windows, m, m.universe, chain.tables[12], [priors_0("main")], "main")


def test_masking_is_what_the_scorer_gives(chain) -> None:
    rng, n = np.random.default_rng(3), len(chain.windows[12])
    z = rng.normal(0.0, 1.0, (n, 3))
    z[rng.random((n, 3)) < 0.2] = np.nan
    z[np.isnan(z).all(axis=1), 0] = 0.0
    fired = rng.integers(0, 8, n).astype(np.uint64)
    parts, bits = np.nan_to_num(z) * BALLOT.weights, (fired[:, None] >> np.arange(3, dtype=np.uint64)) & np.uint64(1)

    def under(voters):
        who = np.array(voters, float)
        confirms = (bits * np.array(BALLOT.votes) * who).sum(axis=1) >= BALLOT.needed
        return scored_with(chain, BALLOT.evidence(parts @ who), confirms.astype(float))

    logged = under(BALLOT.speaks)
    ends = chain.windows[12].ints[:, [win.W_ASSET, win.W_END]]
    row_of = {(a, e): k for k, (a, e) in enumerate(ends.tolist())}
    places = {asset.name: k for k, asset in enumerate(chain.manifest.universe)}
    rows = [row_of[places[a], int(e)] for a, e in zip(logged["asset"], logged["window_end_ms"], strict=True)]
    asks = np.isin(logged["detector_id"], [d.detector_id for d in shipped_detectors() if d.require])
    nothing = np.zeros(len(rows))
    score = chain.manifest.score
    windows = VotedWindows(logged, z[rows], fired[rows], asks, nothing, nothing, BALLOT, score)
    may = (logged["pi"] > 0) | (logged["veto"] == NO_CONFIRMATION)
    for voters in ((False, True, False), (True, False, False), (True, True, True), (False, False, False)):
        wanted = under(voters)
        pi, sums = wanted["pi"], windows.sums(voters)
        np.testing.assert_allclose(windows.propensity(*sums)[may], pi[may], atol=1e-9)
        np.testing.assert_allclose(windows.taken(may).propensity(sums[0][may], sums[1][may]), pi[may], atol=1e-9)
        step = np.exp(logged["ln_sigma_tilde"]) - np.exp(wanted["ln_sigma_tilde"])
        np.testing.assert_allclose(windows.sigma_step(sums[0])[may], step[may], atol=1e-9)
    assert may.sum() > 100


def test_other_experts_are_refused(chain) -> None:
    logged = scored_with(chain, 0.5, 1.0)
    n = len(logged["pi"])
    nothing, none = np.zeros(n), np.zeros(n, np.uint64)
    with pytest.raises(SchemaError, match="another set of experts"):
        VotedWindows(logged, np.zeros((n, 2)), none, none > 0, nothing, nothing, BALLOT, chain.manifest.score)
