"""The venue's texts of refusals and its words for cancellations, as the paper account gives them. Text only."""

from typing import Final

NO_MATCH: Final = "Order could not immediately match against any resting orders."
NO_LIQUIDITY: Final = "No liquidity available for market order."
NO_MARGIN: Final = "Insufficient margin to place order."
NOT_REDUCING: Final = "Reduce only order would increase position."
BAD_TRIGGER: Final = "Invalid TP/SL price."
GONE: Final = "Order was never placed, already canceled, or filled."
POST_ONLY: Final = "Post only order would have immediately matched, bbo was {bid}@{ask}."
CANCELED: Final = "canceled"
SIBLING_FILLED: Final = "siblingFilledCanceled"
REDUCE_ONLY_CANCELED: Final = "reduceOnlyCanceled"
LIQUIDATED: Final = "liquidatedCanceled"
SCHEDULED: Final = "scheduledCancel"
ENTRY_GONE: Final = "entry canceled"
