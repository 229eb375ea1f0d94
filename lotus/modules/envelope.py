"""The envelope `lotus-envelope-1`: what every message between modules carries, its hash and what is signed.

Values and checks only: keys, clocks and databases belong to `lotus_herald`. (Literature: transactional outbox message,
correlation identifier = `lifecycle_id`, idempotency key = `dedupe_key`.)
"""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lotus.errors import MessageError
from lotus.hashing import natural_id
from lotus.json_text import MAX_DEPTH, too_deep
from lotus.modules.canonical import canonical_json
from lotus.modules.intents import Intent, Module, Reason

SCHEMA = "lotus-envelope-1"
_AFTER_SIGNATURE = '"tags":['  # the member that follows `sig` in the canonical order
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Ulid = Annotated[str, Meta(pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Urn = Annotated[str, Meta(pattern=r"^urn:schema:[a-z]+\.[a-z_]+:v[0-9]+$")]


class RefusedError(MessageError):
    """A message is refused; `reason` is the code of its dead letter."""

    def __init__(self, reason: Reason, found: str, expected: str = "", cause: str = "") -> None:
        """Build the message and keep the code."""
        super().__init__(found, expected, cause)
        self.reason = reason


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender sends; the outbox makes an envelope of it.

    `ts` is event time in ms UTC. The same `dedupe_key` from the same sender is always the same message.
    """

    to: tuple[Module, ...]
    intent: Intent
    branch: str
    schema_ref: Urn
    payload: dict[str, Any]
    ts: int
    dedupe_key: Hash
    lifecycle_id: str
    parent_id: str = ""
    priors_ver: str = ""
    priority: int = 0
    ttl_sec: int = 0  # 0 = without end
    tags: tuple[str, ...] = ()


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message with its identity, place in the sender's sequence, hash of the payload and signature."""

    schema: Annotated[str, Meta(pattern="^lotus-envelope-1$")] = SCHEMA
    event_id: Ulid
    ts: Annotated[int, Meta(ge=0)]
    sender: Module = msgspec.field(name="from")
    to: Annotated[tuple[Module, ...], Meta(min_length=1)]
    intent: Intent
    branch: Name
    lifecycle_id: Name
    parent_id: str
    schema_ref: Urn
    priors_ver: str
    dedupe_key: Hash
    seq: Annotated[int, Meta(ge=1)]
    priority: Annotated[int, Meta(ge=0, le=2)]
    ttl_sec: Annotated[int, Meta(ge=0)]
    tags: tuple[str, ...]
    payload: dict[str, Any]
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    release: Name
    sig: Annotated[str, Meta(pattern="^([0-9a-f]{128})?$")] = ""

    def signed_text(self) -> bytes:
        """Return what the signature covers: the canonical envelope without `sig`."""
        plain = msgspec.to_builtins(self)
        del plain["sig"]
        return canonical_json(plain).encode()

    def to_json(self) -> str:
        """Return the canonical text of the whole envelope."""
        return canonical_json(msgspec.to_builtins(self))

    def signed_part(self, text: str) -> bytes | None:
        """Return `text` without this envelope's signature, or None when it has none in the canonical place.

        What the sender signed is exactly this, so that a text in any other form (spaces, another order of names,
        another way to write a number) does not verify. Spares making the canonical text again.
        """
        head, cut, tail = text.rpartition(_signature_member(self.sig))
        return (head + _AFTER_SIGNATURE + tail).encode() if cut else None

    def expires_ms(self) -> int | None:
        """Return the time after which it is not delivered, or None."""
        return self.ts + self.ttl_sec * 1000 if self.ttl_sec else None


def signed_json(signed: bytes, sig: str) -> str:
    """Return the canonical text of an envelope from what was signed and its signature."""
    head, _, tail = signed.decode().rpartition(_AFTER_SIGNATURE)
    return head + _signature_member(sig) + tail


def _signature_member(sig: str) -> str:
    return f'"sig":"{sig}",{_AFTER_SIGNATURE}'


def seal(message: Message, sender: Module, seq: int, release: str) -> Envelope:
    """Return the unsigned envelope of a message; equal arguments give equal bytes (its ULID is made of them)."""
    return Envelope(
        event_id=ulid(message.ts, natural_id(sender.value, message.dedupe_key)),
        sender=sender,
        seq=seq,
        hash=payload_hash(message.payload),
        release=release,
        **msgspec.structs.asdict(message),
    )


_DECODER = msgspec.json.Decoder(Envelope)


def open_envelope(text: str) -> Envelope:
    """Read an envelope and verify its form and hash (not its signature); raises `RefusedError` with the reason code."""
    try:
        if too_deep(text.encode()):
            raise RecursionError(f"nested deeper than {MAX_DEPTH}")
        envelope = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as problem:
        raise RefusedError(Reason.BAD_ENVELOPE, f"no envelope: {problem}", SCHEMA) from problem
    try:
        digest = payload_hash(envelope.payload)
    except (MessageError, RecursionError) as problem:
        raise RefusedError(Reason.BAD_HASH, f"payload of {envelope.event_id}: {problem}") from problem
    if digest != envelope.hash:
        raise RefusedError(
            Reason.BAD_HASH, f"payload of {envelope.event_id} hashes to {digest}", envelope.hash, "altered"
        )
    return envelope


def payload_hash(payload: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical payload."""
    return hashlib.sha256(canonical_json(payload).encode()).hexdigest()


def ulid(time_ms: int, name: str) -> str:
    """Return the ULID of a time and a 128-bit name: 48 bits of time, 80 bits of the name.

    >>> ulid(0, "0" * 32)
    '00000000000000000000000000'
    """
    bits = (time_ms & (1 << 48) - 1) << 80 | int(name, 16) & (1 << 80) - 1
    return "".join(_CROCKFORD[bits >> 5 * k & 31] for k in range(25, -1, -1))
