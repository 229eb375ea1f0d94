"""What a call of a model costs and how it ended, as values: the worst it can cost, what it did cost, its verdict.

Prices are USD a million tokens; a millionth of a USD is the unit of money here, so a token at 1 USD a million costs 1.
Sums are whole numbers and rounded up: nothing is lost between a reservation and its settlement.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

TEMPLATE_TOKENS: Final = 64  # what a chat template may add to the bytes of the messages
BYTES_A_TOKEN: Final = 3  # where a server does not say what it used
MOST_TOKENS: Final = 1 << 40  # of a usage that is believed


class CallVerdict(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"  # a reply was read; what it is worth says its check
    UNREACHABLE = "unreachable"  # no connection: nothing was sent
    SLOW = "slow"  # not all of the answer came in time
    CUT = "cut"  # the connection ended inside the answer, or it is no HTTP
    HUGE = "huge"  # more bytes than are read
    ENCODED = "encoded"  # compressed, though that was not asked for
    REDIRECT = "redirect"  # to another place; never followed
    BUSY = "busy"  # status 429
    FAILED = "failed"  # another status than 200
    WIRE = "wire"  # no answer in the form of chat completions
    OTHER_MODEL = "other_model"  # another model answered
    OVER_BUDGET = "over_budget"  # nothing was sent


UNPAID: Final = frozenset(
    {CallVerdict.UNREACHABLE, CallVerdict.REDIRECT, CallVerdict.BUSY, CallVerdict.FAILED, CallVerdict.OVER_BUDGET}
)
UNSENT: Final = frozenset({CallVerdict.UNREACHABLE, CallVerdict.OVER_BUDGET})


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """USD a million tokens, of a prompt and of an answer."""

    usd_per_mtok_in: float
    usd_per_mtok_out: float

    def micro_usd(self, tokens_in: int, tokens_out: int) -> int:
        """Return what tokens cost in millionths of a USD, rounded up.

        >>> TokenPrices(0.5, 2.0).micro_usd(1001, 10)
        521
        """
        return math.ceil(tokens_in * self.usd_per_mtok_in + tokens_out * self.usd_per_mtok_out)


@dataclass(frozen=True, slots=True)
class TokenUse:
    """Tokens of a prompt and of an answer."""

    tokens_in: int
    tokens_out: int

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.tokens_in + self.tokens_out


def worst_use(request_bytes: int, max_tokens: int) -> TokenUse:
    """Return the most that a call can use: a token is at least a byte, and an answer ends at `max_tokens`."""
    return TokenUse(request_bytes + TEMPLATE_TOKENS, max_tokens)


def untold_use(request_bytes: int, answer_bytes: int | None, max_tokens: int) -> TokenUse:
    """Return what a call counts for where no usage came: bytes / 3; an answer that was not read whole as the worst."""
    out = max_tokens if answer_bytes is None else min(max_tokens, math.ceil(answer_bytes / BYTES_A_TOKEN))
    return TokenUse(math.ceil(request_bytes / BYTES_A_TOKEN), out)


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The budget: millionths of a USD a month (0: loopback only), tokens a day (0: no limit), calls a run."""

    month_micro_usd: int
    day_tokens: int
    run_calls: int


@dataclass(frozen=True, slots=True)
class ReservedCall:
    """The number of a reservation, or why there is none (then `number` is 0)."""

    number: int
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """The exchange of a request that was sent before, and its reservation where a killed process left it open."""

    document: str
    reserved: ReservedCall


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call as it ended: what was asked of which model, what it used and cost, how long it took in ms."""

    request_hash: str
    mode: str
    model_asked: str
    model: str  # as it names itself; "" where nothing was answered
    use: TokenUse
    usage_told: bool
    micro_usd: int
    took_ms: float
    verdict: CallVerdict
    knows_until: str
