"""The port as it is used: a prompt is reserved, sent once, settled and checked; one repair round, no other retry.

Off, nothing can be sent. Live sends; record keeps cassettes too; replay reads cassettes alone, and one that is missing
is an error. A request that was sent before is not sent again: its stored answer is read. (Idempotency keys; two-phase
budget: reserve the worst, settle the real.)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from lotus.coprocessor.model.calls import (
    UNPAID,
    CallRecord,
    CallVerdict,
    ReservedCall,
    StoredCall,
    TokenUse,
    untold_use,
    worst_use,
)
from lotus.coprocessor.model.port import ModelReply, Prompt
from lotus.coprocessor.model.prompt_text import ChatMessage, messages_of, repair_messages
from lotus.coprocessor.model.reply_check import CheckedReply, SpecRefusal, check_reply
from lotus.errors import ConfigError
from lotus_llm.client import ModelAnswer, post
from lotus_llm.endpoint import ModelEndpoint
from lotus_llm.exchange import Cassettes, RecordedExchange, answer_in
from lotus_llm.wire import SENTENCES, SPECS, ModelRequest, ReadAnswer, is_asked_model, read_answer, request_of

OFF, LIVE, RECORD, REPLAY = "off", "live", "record", "replay"
MODES: Final = (OFF, LIVE, RECORD, REPLAY)


class CallAccount(Protocol):
    """Where calls are accounted: what was answered before, what may still be spent, what was."""

    def find(self, request_hash: str) -> StoredCall | None:
        """Return the stored exchange of a request that was sent before."""

    def reserve(self, request_hash: str, worst: TokenUse, micro_usd: int) -> ReservedCall:
        """Reserve the worst that a call can cost, or say why not."""

    def keep(self, request_hash: str, document: str) -> None:
        """Store an exchange before it is settled."""

    def settle(self, reserved: ReservedCall, record: CallRecord) -> None:
        """Settle a reservation and list the call, in one transaction; a call without one is listed only."""


@dataclass(frozen=True, slots=True)
class PortCall:
    """One call: how it ended, in which words, and the reply where one was read; `again`: answered before, not sent."""

    verdict: CallVerdict
    words: str
    reply: ModelReply | None
    record: CallRecord
    again: bool = False


@dataclass(frozen=True, slots=True)
class ModelProposal:
    """What came of a prompt: its calls, what the reply that counts holds, and what the first one was refused for."""

    calls: tuple[PortCall, ...]
    checked: CheckedReply
    at_first: tuple[SpecRefusal, ...] = ()


class ModelPort:
    """A model behind its account and its cassettes."""

    def __init__(
        self, endpoint: ModelEndpoint, mode: str, account: CallAccount, cassettes: Cassettes, knows_until: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        """Open nothing yet; raises `ConfigError` when the model is off."""
        if mode not in (LIVE, RECORD, REPLAY):
            raise ConfigError(f"llm.mode is {mode!r}", f"one of {', '.join(MODES[1:])}", "no model is asked by default")
        self._endpoint, self._mode, self._account, self._cassettes = endpoint, mode, account, cassettes
        self._knows_until, self._transport = knows_until, transport

    def propose(self, prompt: Prompt, taken: Collection[str] = ()) -> ModelProposal:
        """Ask for specs; when any is refused, ask once more. The reply with more specs of the language counts."""
        first = self._call(messages_of(prompt))
        if first.reply is None:
            return ModelProposal((first,), CheckedReply())
        checked = check_reply(first.reply, taken, prompt.wanted)
        if not checked.refusals or first.reply.tool_calls:
            return ModelProposal((first,), checked)
        second = self._call(repair_messages(prompt, first.reply.content, checked.refusals))
        if second.reply is None:
            return ModelProposal((first, second), checked, checked.refusals)
        mended = check_reply(second.reply, taken, prompt.wanted)
        better = mended if len(mended.specs) >= len(checked.specs) else checked
        return ModelProposal((first, second), better, checked.refusals)

    def complete(self, prompt: Prompt) -> ModelReply:
        """Return the reply to a prompt; raises `ConfigError` in the words of the call where none came."""
        call = self._call(messages_of(prompt))
        if call.reply is None:
            raise ConfigError(f"no reply ({call.verdict}): {call.words}", "an answer", "see `lotus llm calls`")
        return call.reply

    def sentences(self, messages: Sequence[ChatMessage]) -> PortCall:
        """Ask for sentences, once; what the reply is worth says `sentence_prompt.read_sentences`."""
        return self._call(messages, SENTENCES)

    def _call(self, messages: Sequence[ChatMessage], form: str = SPECS) -> PortCall:
        request = request_of(self._endpoint, messages, form)
        if self._mode == REPLAY:
            return self._replayed(request)
        if (stored := self._account.find(request.request_hash)) is not None:
            answer = answer_in(stored.document, request, f"the stored exchange {request.request_hash}")
            call = self._ended(request, answer, again=True)
            if stored.reserved.number:
                self._account.settle(stored.reserved, call.record)
            if self._mode == RECORD:
                self._cassettes.write(self._endpoint, request, answer)
            return call
        worst = worst_use(len(request.body), self._endpoint.max_tokens)
        reserved = self._account.reserve(
            request.request_hash, worst, self._endpoint.prices.micro_usd(worst.tokens_in, worst.tokens_out)
        )
        if not reserved.number:
            record = self._record(request, "", TokenUse(0, 0), False, 0.0, CallVerdict.OVER_BUDGET)
            self._account.settle(reserved, record)
            return PortCall(CallVerdict.OVER_BUDGET, reserved.refusal, None, record)
        answer = post(self._endpoint, request.body, self._transport)
        exchange = RecordedExchange(self._endpoint.address, request, answer)
        if answer.verdict not in UNPAID:
            self._account.keep(request.request_hash, exchange.as_text())
        call = self._ended(request, answer)
        self._account.settle(reserved, call.record)
        if self._mode == RECORD and answer.verdict not in UNPAID:
            self._cassettes.write(self._endpoint, request, answer)
        return call

    def _replayed(self, request: ModelRequest) -> PortCall:
        answer = self._cassettes.find(request)
        if answer is None:
            found = f"there is no cassette {self._cassettes.path(request)}"
            raise ConfigError(found, "the recorded answer to this very request", "another prompt, model or limit")
        call = self._ended(request, answer)
        self._account.settle(ReservedCall(0), call.record)
        return call

    def _ended(self, request: ModelRequest, answer: ModelAnswer, again: bool = False) -> PortCall:
        """Return a call with what its answer says and what it counts for."""
        read, verdict = ReadAnswer(None, None), answer.verdict
        words = f"status {answer.status}" if answer.status else verdict.value
        if verdict is CallVerdict.ANSWERED:
            read = read_answer(answer.body)
            words = read.words
            if read.reply is None:
                verdict = CallVerdict.WIRE
            elif not is_asked_model(self._endpoint.model, read.reply.model):
                verdict, words = CallVerdict.OTHER_MODEL, f"{read.reply.model!r} answered"
        whole = answer.verdict is CallVerdict.ANSWERED
        use = read.use or untold_use(len(request.body), len(answer.body) if whole else None, self._endpoint.max_tokens)
        use = TokenUse(0, 0) if verdict in UNPAID or self._mode == REPLAY else use
        model = read.reply.model if read.reply else ""
        record = self._record(request, model, use, read.use is not None, answer.took_ms, verdict)
        reply = read.reply if verdict is CallVerdict.ANSWERED else None
        return PortCall(verdict, words, reply, record, again)

    def _record(
        self, request: ModelRequest, model: str, use: TokenUse, usage_told: bool, took_ms: float, verdict: CallVerdict
    ) -> CallRecord:
        cost = self._endpoint.prices.micro_usd(use.tokens_in, use.tokens_out)
        return CallRecord(
            request.request_hash, self._mode, self._endpoint.model, model, use, usage_told, cost, took_ms, verdict,
            self._knows_until,
        )  # fmt: skip
