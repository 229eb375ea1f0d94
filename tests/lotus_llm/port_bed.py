"""An account in memory, and a port to a server of the tests' own."""

from dataclasses import dataclass, field
from pathlib import Path

from lotus.coprocessor.model.calls import UNPAID, CallRecord, ReservedCall, StoredCall, TokenPrices, TokenUse
from lotus_llm.endpoint import ModelEndpoint
from lotus_llm.exchange import Cassettes
from lotus_llm.model_port import ModelPort


@dataclass
class MemoryAccount:
    """What the ledger does, in memory."""

    records: list[CallRecord] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    reserved: int = 0
    left_open: dict[str, int] = field(default_factory=dict)
    settled: list[int] = field(default_factory=list)

    def find(self, request_hash: str) -> StoredCall | None:
        document = self.documents.get(request_hash)
        return None if document is None else StoredCall(document, ReservedCall(self.left_open.get(request_hash, 0)))

    def reserve(self, request_hash: str, worst: TokenUse, micro_usd: int) -> ReservedCall:
        self.reserved += not self.refusal
        return ReservedCall(0, self.refusal) if self.refusal else ReservedCall(self.reserved)

    def keep(self, request_hash: str, document: str) -> None:
        self.documents[request_hash] = document

    def settle(self, reserved: ReservedCall, record: CallRecord) -> None:
        assert not reserved.number or record.verdict in UNPAID or record.request_hash in self.documents
        self.records.append(record)
        self.settled.append(reserved.number)


def endpoint(url: str, timeout_s: float = 5.0, key: str = "") -> ModelEndpoint:
    """Return an endpoint of the test's model at 1 and 2 USD a million tokens."""
    return ModelEndpoint(url, "test-model", True, 500, timeout_s, TokenPrices(1.0, 2.0), key)


def port(url: str, account: MemoryAccount, folder: Path, mode: str = "live", timeout_s: float = 5.0) -> ModelPort:
    """Return a port to a server."""
    return ModelPort(endpoint(url, timeout_s), mode, account, Cassettes(folder))
