"""The netted position of one asset by average entry price, with realised result and fees, in exact integers.

Reported beside the probes; it never changes what a probe earned. In the literature: average-cost accounting.
"""

from dataclasses import dataclass

from lotus_venues.orders import Fill


@dataclass(slots=True)
class LotPosition:
    """Signed `lots` and their signed cost, realised result before fees, fees and funding (millionths of a dollar)."""

    lots: int = 0
    cost_micro: int = 0
    realised_micro: int = 0
    fees_micro: int = 0
    funding_micro: int = 0

    def apply(self, fill: Fill) -> None:
        """Add one fill: the part against the position realises a result, the rest opens or extends it."""
        self.fees_micro += fill.fee_micro
        signed = fill.lots * fill.side
        closing = min(abs(self.lots), fill.lots) if self.lots * signed < 0 else 0
        if closing:
            cost = self.cost_micro * closing // abs(self.lots)
            self.realised_micro += -fill.side * fill.px * closing - cost
            self.cost_micro -= cost
        self.cost_micro += fill.side * fill.px * (fill.lots - closing)
        self.lots += signed

    def net_micro(self, mid2: int) -> int:
        """Return the result after fees and funding, open lots marked at a mid in half price units."""
        unrealised = self.lots * mid2 // 2 - self.cost_micro
        return self.realised_micro + unrealised - self.fees_micro - self.funding_micro
