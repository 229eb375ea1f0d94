"""Which subscriptions have fallen silent though the socket lives: the age of the last frame of each.

Ages are differences of the clock's stamps, so the watch of a replay is as old as its tape. It only marks; what to do
about it is the feed's. (Literature: failure detection by heartbeat, one channel at a time.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lotus_venues.hyperliquid.subscriptions import Subscription, route

_COIN_AT = {b"b": 33, b"l": 36, b"t": 37, b"a": 44}  # where the coin stands, by the channel's first letter
_CHANNEL_AT = 12
_FAST_END = b',"fast":true}}'


@dataclass(slots=True)
class StaleWatch:
    """Ages of a set of subscriptions; `total` counts how often each went stale."""

    subscriptions: Sequence[Subscription]
    total: dict[str, int] = field(default_factory=dict)
    _heard_ns: list[int] = field(init=False)
    _place: dict[tuple[str, str, bool], int] = field(init=False)
    _heads: dict[bytes, int] = field(default_factory=dict)
    _fast_heads: dict[bytes, int] = field(default_factory=dict)
    _stale: set[Subscription] = field(default_factory=set)
    _renewed: set[Subscription] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Give every subscription its place."""
        self._heard_ns = [0] * len(self.subscriptions)
        self._place = {(s.channel, s.coin, s.fast): k for k, s in enumerate(self.subscriptions)}

    def start(self, now_ns: int) -> None:
        """Begin a connection: every subscription counts as fresh now."""
        self._heard_ns = [now_ns] * len(self.subscriptions)
        self._stale.clear()
        self._renewed.clear()

    def note(self, raw: bytes, recv_ns: int) -> None:
        """Note a frame. Its text from channel to coin, once routed, is known by sight."""
        head = raw[_CHANNEL_AT : raw.find(b'"', _COIN_AT.get(raw[_CHANNEL_AT : _CHANNEL_AT + 1], 0))]
        place = (self._fast_heads if raw.endswith(_FAST_END) else self._heads).get(head)
        if place is None:
            key = route(raw)
            place = self._place.get(key)
            if place is None:
                return
            self._learn(head, key, raw.endswith(_FAST_END))
        self._heard_ns[place] = recv_ns

    def _learn(self, head: bytes, key: tuple[str, str, bool], fast: bool) -> None:
        """Remember a head where it names the subscription and nothing else, so that their number stays bounded."""
        channel, coin, is_fast = key
        if is_fast is fast and head.startswith(channel.encode()) and head.endswith(b'{"coin":"' + coin.encode()):
            (self._fast_heads if fast else self._heads)[head] = self._place[key]

    def newly_stale(self, now_ns: int) -> list[Subscription]:
        """Return the subscriptions that became too old since the last call."""
        fresh = []
        for sub, heard_ns in zip(self.subscriptions, self._heard_ns, strict=True):
            limit = sub.stale_after_s
            if limit is None:
                continue
            if now_ns - heard_ns <= limit * 1e9:
                self._stale.discard(sub)
                self._renewed.discard(sub)
            elif sub not in self._stale:
                self._stale.add(sub)
                self.total[sub.label] = self.total.get(sub.label, 0) + 1
                fresh.append(sub)
        return fresh

    def overdue(self, now_ns: int, after_s: float) -> list[Subscription]:
        """Return the stale subscriptions silent for longer than `after_s`, each once until it sends again."""
        waiting = self._stale - self._renewed
        if not waiting:
            return []
        overdue = [
            sub
            for sub, heard_ns in zip(self.subscriptions, self._heard_ns, strict=True)
            if sub in waiting and now_ns - heard_ns > after_s * 1e9
        ]
        self._renewed.update(overdue)
        return overdue

    @property
    def stale(self) -> tuple[str, ...]:
        """Labels of the subscriptions that are stale now."""
        return tuple(sorted(s.label for s in self._stale))
