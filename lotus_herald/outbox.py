"""Speaking: messages become signed envelopes in the sender's outbox, inside the sender's own transaction."""

from collections.abc import Sequence

from lotus.modules.envelope import Envelope, Message, open_envelope, seal, signed_json
from lotus.modules.intents import Module
from lotus.modules.messages.catalogue import decoded
from lotus_herald.keys import Keys
from lotus_herald.release import release_of
from lotus_store.ledger.messages import boxes, identities
from lotus_store.postgres.queries import Connection


def send(connection: Connection, sender: Module, message: Message, keys: Keys) -> Envelope:
    """Put a message into the outbox of `sender`; it goes out when the caller's transaction commits.

    A message whose `dedupe_key` was sent before is not sent again; the envelope of then is returned. Raises
    `RefusedError` (bad_payload) for a payload that has not the form of its schema reference.
    """
    return open_envelope(send_many(connection, sender, [message], keys)[0])


def send_many(connection: Connection, sender: Module, messages: Sequence[Message], keys: Keys) -> list[str]:
    """Put messages into the outbox of `sender`, as `send` does; return the envelopes' texts."""
    release = release_of(sender)
    for message in messages:
        decoded(message.schema_ref, message.payload)

    def sealed(index: int, seq: int) -> tuple[Envelope, str]:
        bare = seal(messages[index], sender, seq, release)
        signed = bare.signed_text()
        return bare, signed_json(signed, keys.sign_text(sender.value, signed))

    texts = boxes.append_once(connection, sender.value, [m.dedupe_key for m in messages], sealed)
    identities.put_key(connection, sender.value, keys.verify_key(sender.value), release)
    return texts
