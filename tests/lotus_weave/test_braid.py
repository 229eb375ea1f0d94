"""The quality of a braid: four priced terms."""

import math

from weave_boards import WEAVE, lesson

from lotus.weave.braid import quality_of


def test_quality_is_the_four_priced_terms():
    own = lesson()
    quality = quality_of(own, WEAVE)
    tau, sigma = own.claim_bps / own.sigma_y_bps, own.se_bps / own.sigma_y_bps
    want = tau - 0.005 * math.log2(111) - 0.5 * sigma + 0.02 * math.log(1 + own.n_published)
    assert math.isclose(quality.bqs, want, rel_tol=1e-12)
    assert min(quality.mdl, quality.uncertainty, quality.support) > 0.0
