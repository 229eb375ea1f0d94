"""The venue's own words: refusals of orders and requests, status words of orders.

Kept apart from every client, which must not import what it is tested with. No logic belongs here.
"""

from typing import Final

BAD_TICK: Final = "Price must be divisible by tick size."
BAD_PRICE: Final = "Order has invalid price."
BAD_SIZE: Final = "Order has invalid size."
ZERO_SIZE: Final = "Order has zero size."
TOO_SMALL: Final = "Order must have minimum value of $10."
NO_MARGIN: Final = "Insufficient margin to place order."
NOT_REDUCING: Final = "Reduce only order would increase position."
POST_ONLY_PERIOD: Final = "Only post-only orders allowed immediately after a network upgrade"
WOULD_MATCH: Final = "Post only order would have immediately matched, bbo was {bid}@{ask}."
NO_MATCH: Final = "Order could not immediately match against any resting orders."
BAD_TRIGGER: Final = "Invalid TP/SL price."
NO_LIQUIDITY: Final = "No liquidity available for market order."
TOO_FAR: Final = "Order price cannot be more than 95% away from the reference price"
TOO_MANY_OPEN: Final = "Too many open orders."
TRIGGER_COUNT: Final = "Unexpected number of trigger orders"
MISSING_ORDER: Final = "Order was never placed, already canceled, or filled."
NOT_MODIFIABLE: Final = "Cannot modify canceled or filled order"
MODIFY_FAILED: Final = "Error placing new order during modify: {reason}"
BAD_ASSET: Final = "Invalid asset: {asset}"
BAD_LEVERAGE: Final = "Invalid leverage value"
LEVERAGE_WITH_POSITION: Final = "Cannot switch leverage type with open position."
LEVERAGE_TOO_LOW: Final = "Cannot decrease leverage with open position: insufficient margin."
UNKNOWN_SIGNER: Final = "User or API Wallet {address} does not exist."
BAD_VAULT: Final = "Vault not registered: {address}"
DUPLICATE_NONCE: Final = "Invalid nonce: duplicate nonce {nonce}"
LOW_NONCE: Final = "Invalid nonce: nonce too low {nonce} < {least}"
NONCE_WINDOW: Final = "Invalid nonce: {nonce} is not within the window of {first} to {last}"
EXPIRED: Final = "Action expired at {expires}, now {now}"
SCHEDULE_TOO_SOON: Final = "Scheduled cancel time too early, must be at least 5 seconds from now."
SCHEDULE_SPENT: Final = "Cannot set scheduled cancel time: too many triggers today."
SCHEDULE_LOCKED: Final = (
    "Cannot set scheduled cancel time until enough volume traded. Required: ${required}. Traded: ${traded}."
)
TOO_MANY_REQUESTS: Final = (
    "Too many cumulative requests sent ({used} > {cap}) for cumulative volume traded ${volume}. "
    "Place taker orders to free up 1 request per USDC traded."
)
UNSUPPORTED_ACTION: Final = "Unsupported action on the local exchange: {kind}"
BAD_BODY: Final = "Failed to deserialize the JSON body into the target type"

# refusal text -> status word of orderUpdates and orderStatus
REJECTED_AS: Final = {
    BAD_TICK: "tickRejected",
    TOO_SMALL: "minTradeNtlRejected",
    NO_MARGIN: "perpMarginRejected",
    NOT_REDUCING: "reduceOnlyRejected",
    NO_MATCH: "iocCancelRejected",
    BAD_TRIGGER: "badTriggerPxRejected",
    NO_LIQUIDITY: "marketOrderNoLiquidityRejected",
    TOO_FAR: "oracleRejected",
    TOO_MANY_OPEN: "tooManyOpenOrdersRejected",
}
