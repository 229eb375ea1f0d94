"""Calls of a model in the sig database, their budget, and their bytes in the lake.

A call is reserved at its worst under one lock, so that calls at once cannot overspend; settled afterwards at what it
was. A process that is killed in between leaves its reservation: it counts as the worst until the stored answer settles
it, and its request is not sent again. (Reserve and settle: escrow, P. O'Neil, 1986.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row, dict_row

from lotus.coprocessor.model.calls import UNPAID, CallLimits, CallRecord, ReservedCall, StoredCall, TokenUse
from lotus.hashing import natural_id
from lotus.timebase import next_day
from lotus_store.databases import Connection, Databases
from lotus_store.lake import Lake
from lotus_store.postgres.queries import query

DOCUMENTS: Final = "llm_calls"  # in the lake, by branch of the first sender and hash of the request
DEAD_S: Final = 1_800.0  # no call lasts so long (`llm.timeout_s` is 600 at most)
REFUSAL_DAYS: Final = 30
SENT = "this request was sent before and its answer is not known; it may have been paid, so it is not sent again"


@dataclass(frozen=True, slots=True)
class LlmSpent:
    """Reserved or spent: millionths of a USD this month, tokens today (UTC), calls of a run; reservations left open."""

    month_micro_usd: int
    day_tokens: int
    run_calls: int
    unsettled: int


class LlmAccount:
    """The account of one run: reserves, keeps and settles its calls."""

    def __init__(self, databases: Databases, lake: Lake, branch: str, run: str, limits: CallLimits) -> None:
        """Keep the places; each act below is a transaction of its own."""
        self._databases, self._lake, self._branch, self._run, self._limits = databases, lake, branch, run, limits

    def find(self, request_hash: str) -> StoredCall | None:
        """Return the stored exchange of a request that was sent before; None where it was not, or its bytes are not."""
        with self._databases.connect("sig") as sig:
            row = sig.execute(query("sig", "llm_sent"), [request_hash]).fetchone()
        if row is None or not self._lake.has_document(DOCUMENTS, row[0], request_hash):
            return None
        document = self._lake.read_document(DOCUMENTS, row[0], request_hash)
        return StoredCall(document, ReservedCall(int(row[1]) if row[2] else 0))

    def reserve(self, request_hash: str, worst: TokenUse, micro_usd: int) -> ReservedCall:
        """Reserve the worst that a call can cost, or say which limit it would pass."""
        with self._databases.connect("sig") as sig, sig.transaction():
            sig.execute(query("sig", "lock_llm_budget"))
            spent = llm_spent(sig, self._run)
            if refusal := over(spent, self._limits, worst.tokens, micro_usd):
                return ReservedCall(0, refusal)
            row = sig.execute(
                query("sig", "llm_reserve"),
                {"request_hash": request_hash, "branch": self._branch, "run": self._run,
                 "worst_tokens": worst.tokens, "worst_micro_usd": micro_usd},
            ).fetchone()  # fmt: skip
        return ReservedCall(0, SENT) if row is None else ReservedCall(int(row[0]))

    def keep(self, request_hash: str, document: str) -> None:
        """Store an exchange before it is settled."""
        self._lake.write_document(DOCUMENTS, self._branch, request_hash, document)

    def settle(self, reserved: ReservedCall, record: CallRecord) -> None:
        """Settle a reservation and list the call, in one transaction; doing it again changes nothing."""
        settled = {
            "tokens": record.use.tokens, "micro_usd": record.micro_usd, "released": record.verdict in UNPAID,
            "reservation": reserved.number,
        }  # fmt: skip
        with self._databases.connect("sig") as sig, sig.transaction():
            if reserved.number:
                sig.execute(query("sig", "llm_settle"), settled)
            sig.execute(query("sig", "put_llm_call"), self._row(reserved, record))

    def _row(self, reserved: ReservedCall, record: CallRecord) -> dict[str, Any]:
        place = reserved.number or self._run
        return {
            "call_id": natural_id("llm_call", record.request_hash, record.mode, place, record.verdict.value),
            "request_hash": record.request_hash, "branch": self._branch, "run": self._run, "mode": record.mode,
            "model_asked": record.model_asked, "model": record.model, "knows_until": record.knows_until,
            "tokens_in": record.use.tokens_in, "tokens_out": record.use.tokens_out, "usage_told": record.usage_told,
            "micro_usd": record.micro_usd, "took_ms": record.took_ms, "verdict": record.verdict.value,
        }  # fmt: skip


def over(spent: LlmSpent, limits: CallLimits, tokens: int, micro_usd: int) -> str:
    """Return which limit a call of this worst would pass, "" for none. Money has no limit where nothing costs any."""
    if micro_usd and spent.month_micro_usd + micro_usd > limits.month_micro_usd:
        usd = [n / 1e6 for n in (spent.month_micro_usd, micro_usd, limits.month_micro_usd)]
        return f"{usd[0]:.4f} USD of this month are spent or reserved, {usd[1]:.4f} more; llm.usd_month is {usd[2]:g}"
    if limits.day_tokens and spent.day_tokens + tokens > limits.day_tokens:
        return f"{spent.day_tokens} tokens of today, {tokens} more; llm.tokens_day is {limits.day_tokens}"
    if spent.run_calls >= limits.run_calls:
        return f"{spent.run_calls} calls of this run; llm.calls_run is {limits.run_calls}"
    return ""


def llm_spent(sig: Connection, run: str = "") -> LlmSpent:
    """Return what is spent or reserved, and the calls of a run."""
    with sig.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query("sig", "llm_spent"), {"run": run}).fetchone()
    assert row is not None
    return LlmSpent(**row)


def llm_calls_of(sig: Connection, branch: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest calls of a branch."""
    with sig.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("sig", "llm_calls"), [branch, limit]).fetchall()


@dataclass(frozen=True, slots=True)
class OpenReservation:
    """A reservation whose call never ended: its process was killed or its machine went away."""

    reservation: int
    request_hash: str
    branch: str
    run: str
    worst_tokens: int
    worst_micro_usd: int
    reserved_at: datetime


def left_open(sig: Connection, age_s: float = DEAD_S) -> list[OpenReservation]:
    """Return the reservations older than any call can last that were never settled."""
    with sig.cursor(row_factory=class_row(OpenReservation)) as cursor:
        return cursor.execute(query("sig", "llm_left_open"), {"age_s": age_s}).fetchall()


def release(sig: Connection, dead: Sequence[OpenReservation]) -> int:
    """Settle dead reservations at their worst and let their requests be sent again; return how many there were.

    They may have been paid: sending one again may pay it twice. Doing it again changes nothing.
    """
    return sig.execute(query("sig", "llm_release"), [[one.reservation for one in dead]]).rowcount


@dataclass(frozen=True, slots=True)
class StoredRefusal:
    """Why one proposal was refused: the request, which spec of its answer (0: the answer), a code, words."""

    request_hash: str
    spec: int
    code: str
    words: str


def put_refusals(sig: Connection, branch: str, run: str, night: str, refusals: Sequence[StoredRefusal]) -> None:
    """List refusals of a run; doing it again changes nothing."""
    with sig.transaction(), sig.cursor() as cursor:
        cursor.executemany(
            query("sig", "put_llm_refusal"),
            [(branch, run, one.request_hash, one.spec, night, one.code, one.words) for one in refusals],
        )


def refused_before(sig: Connection, branch: str, night: str) -> dict[str, int]:
    """Return how often proposals of a model were refused on the nights of a month before one, by code.

    Those of the night itself are left out, so that a run that is begun again asks the same.
    """
    values = {"branch": branch, "night": night, "since": next_day(night, -REFUSAL_DAYS)}
    return {str(code): int(times) for code, times in sig.execute(query("sig", "llm_refused"), values)}
