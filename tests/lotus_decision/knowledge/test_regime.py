"""The regime: every bin of the volatility context has one, no other bin does."""

from lotus.decision.alphas import ANY_REGIME
from lotus.decision.knowledge.calibration import cell_chain
from lotus.decision.knowledge.regime import REGIMES, VOLATILITY_BIN, regime_of
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.priors.vocabulary import FEATURES, NULL_BIN


def test_every_fifth_has_a_regime_and_a_null_has_none() -> None:
    (bins,) = [f.bins for f in FEATURES if f"b_{f.name}" == VOLATILITY_BIN]
    assert VOLATILITY_BIN in SIGNAL_EVENTS.names
    assert [regime_of(k) for k in range(bins)] == list(REGIMES)
    assert {regime_of(k) for k in (NULL_BIN, -1, bins)} == {ANY_REGIME}
    assert len(cell_chain("det:a@1", 30, regime_of(NULL_BIN))) == 2  # no cell of its own: that of its source
