"""Speaking: a message becomes a signed envelope in the sender's outbox, inside the sender's own transaction."""

import psycopg
from msgspec.structs import replace

from lotus.modules.envelope import Envelope, Message, open_envelope, seal
from lotus.modules.intents import Module
from lotus_herald.keys import Keys
from lotus_herald.release import release_of
from lotus_store.ledger import messages


def send(connection: psycopg.Connection[tuple[object, ...]], sender: Module, message: Message, keys: Keys) -> Envelope:
    """Put a message into the outbox of `sender`; it goes out when the caller's transaction commits.

    A message whose `dedupe_key` was sent before is not sent again; the envelope of then is returned.
    """

    def sealed(seq: int) -> Envelope:
        bare = seal(message, sender, seq, release_of(sender))
        return replace(bare, sig=keys.sign(bare))

    messages.put_identity(connection, sender.value, keys.verify_key(sender.value), release_of(sender))
    return open_envelope(messages.append_once(connection, sender.value, message.dedupe_key, sealed))
