"""Gaps in a sender's sequence: a number that no committed row has and that no running transaction can still bring.

A missing number is first only suspected, with the transactions that ran when it was first missed; once all of them have
ended, a late commit is ruled out and it is a gap, unless retention let the row go. A gap is healed when some inbox
still holds the message (the outbox row was lost), and alarmed otherwise. No clock is asked. (Literature: gap detection,
snapshot horizon.)
"""

from dataclasses import dataclass, field
from datetime import datetime

from lotus.errors import LedgerError
from lotus.modules.envelope import RefusedError, open_envelope
from lotus.modules.intents import Module
from lotus_herald.keys import signing_release
from lotus_herald.links import Links
from lotus_store.ledger.messages import herald_books, identities


@dataclass(slots=True)
class GapWatch:
    """Where the sequence of each sender is complete up to, and the numbers that are suspected above."""

    links: Links
    _complete: dict[Module, int] = field(default_factory=dict)
    _suspects: dict[Module, dict[int, frozenset[str]]] = field(default_factory=dict)

    def look(self, sender: Module) -> dict[int, str]:
        """Look for gaps of one sender; return those settled now, by number: `healed` or `alarmed`."""
        source, name = self.links.get(sender.value, "out"), sender.value
        suspects = self._suspects.setdefault(sender, {})
        mark = self._complete[sender] if sender in self._complete else herald_books.message_mark(source, name)
        running = herald_books.running(source, name)  # before the numbers: what ends in between is seen
        last, n = herald_books.sequence_after(source, name, mark)
        if n == 0 or n == last - mark:
            self._complete[sender] = max(mark, last)
            suspects.clear()
            return {}
        missing = herald_books.missing_after(source, name, mark, last)
        gone = herald_books.message_mark(source, name)  # after what is missing: retention marks before it deletes
        gaps = herald_books.gaps(source, name)
        for seq in set(suspects) - set(missing):
            del suspects[seq]  # it came late
        settled = {}
        for seq in missing:
            if seq in gaps or seq <= gone:
                continue
            suspects[seq] = suspects.get(seq, running) & running
            if not suspects[seq]:
                settled[seq] = self._settle(sender, seq)
                del suspects[seq]
        if not suspects:
            self._complete[sender] = max(missing) if len(missing) == 10_000 else last
        return settled

    def _settle(self, sender: Module, seq: int) -> str:
        source = self.links.get(sender.value, "out")
        received = self._received(sender, seq)
        with source.transaction():
            if received is not None:
                text, received_at = received
                herald_books.heal(source, sender.value, open_envelope(text), text, received_at)
            state = "alarmed" if received is None else "healed"
            herald_books.put_gap(source, sender.value, seq, state)
        return state

    def _received(self, sender: Module, seq: int) -> tuple[str, datetime] | None:
        """Return the signed message of a number from any inbox that can be reached, and when it had been said at the
        latest: its arrival, at which its key must not have been retired.
        """
        registered = identities.known_keys(self.links.get(sender.value, "out"), sender.value)
        for target in Module:
            try:
                texts = herald_books.received_with(self.links.get(target.value, "in"), target.value, sender.value, seq)
            except LedgerError:
                continue
            for text, received_at in texts:
                try:
                    envelope = open_envelope(text)
                except RefusedError:
                    continue
                keys = identities.keys_at(registered, received_at)
                if envelope.seq == seq and signing_release(envelope, text, keys) is not None:
                    return text, received_at
        return None
