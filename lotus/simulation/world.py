"""The market with known truth: a world is a name, a seed and a length; its tape and its truth follow from them alone.

Every span (session) is generated from its own keys, so spans can be made in any order and on several threads with the
same bytes. Writing files is the caller's affair.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64
from lotus.simulation.layout import SpanLayout
from lotus.simulation.lessons import manifest_of
from lotus.simulation.market import MarketSpan, make_span
from lotus.simulation.render import MARGIN, new_state, render
from lotus.simulation.rng import bell, streams
from lotus.simulation.spec import WorldSpec
from lotus.simulation.truth import Truth, truth_of
from lotus.simulation.wire_text import text_bytes

_BUFFER = 1 << 23
_CHUNK_MS = 5_400_000
_SILENCE_MS = 4_000
_PONG_MS = 50_000
_LATE_Q10 = 40  # about 4 % of trade messages arrive late


class World:
    """Tape, truth and manifest of one `WorldSpec`."""

    def __init__(self, spec: WorldSpec) -> None:
        """Bind a specification; nothing is generated yet."""
        self.spec = spec

    @property
    def manifest(self) -> dict[str, Any]:
        """What the world is made of and what is true in it, JSON-able."""
        return manifest_of(self.spec)

    def span(self, day: int, index: int) -> MarketSpan:
        """Return the path and the planted drift of one session of a day."""
        start, end = self.spec.spans_ms(day)[index]
        return make_span(self.spec, start, end, self._start_bps(day, index))

    def span_chunks(self, day: int, index: int) -> Iterator[tuple[int, bytes]]:
        """Yield one session as (first receive ns, lines `<recv_ns> <frame>`) in chunks of at most 90 minutes."""
        feed = self._feed(day, index, self.span(day, index))
        state = new_state(streams(4, *self._key(day, index), "render"), feed)
        out = np.empty(_BUFFER + MARGIN, dtype=np.uint8)
        blocks, chunk = feed.time_ms.size, _CHUNK_MS // self.spec.rates.block_ms
        for first in range(0, blocks, chunk):
            block, stop = first, min(first + chunk, blocks)
            parts = []
            while block < stop:
                block, size = render(out, block, stop, state, feed)
                parts.append(out[:size].tobytes())
            text = b"".join(parts)
            yield int(text[: text.index(b" ")]), text

    def truth(self, day: int) -> Truth:
        """Return what was planted on a day."""
        return truth_of([self.span(day, index) for index in range(len(self.spec.sessions))])

    def day_pieces(self, day: int) -> Iterator[tuple[int, bytes]]:
        """Yield the tape of a day in arrival order: (first receive ns, bytes of whole lines)."""
        for index in range(len(self.spec.sessions)):
            yield from self.span_chunks(day, index)

    def piece_hashes(self, day: int) -> list[str]:
        """Return the sha256 of the raw bytes of each session of a day."""
        out = []
        for index in range(len(self.spec.sessions)):
            digest = hashlib.sha256()
            for _, text in self.span_chunks(day, index):
                digest.update(text)
            out.append(digest.hexdigest())
        return out

    def _key(self, day: int, index: int) -> tuple[int, int]:
        return (self.spec.seed, self.spec.spans_ms(day)[index][0])

    def _start_bps(self, day: int, index: int) -> list[int]:
        """Return each asset's distance from its model price: a walk over the sessions before, kept within 15 %."""
        steps = day * len(self.spec.sessions) + index
        out = []
        for a in range(len(self.spec.assets)):
            state = streams(1, self.spec.seed, "start", a)
            level = 0
            for _ in range(steps):
                level = max(-1_500, min(1_500, level + 12 * bell(state, 0)))
            out.append(level)
        return out

    def _feed(self, day: int, index: int, span: MarketSpan) -> SpanLayout:
        models, rates = self.spec.assets, self.spec.rates
        coins = np.zeros((len(models), 16), dtype=np.uint8)
        for a, model in enumerate(models):
            coins[a, : len(model.name)] = text_bytes(model.name)
        acks = acknowledgements([m.name for m in models])
        opened = self._start_bps(day, 0)
        traits = [
            (m.tick_units, m.top_lots, m.px_decimals, m.sz_decimals, m.ticks_at(b) * m.tick_units, len(m.name))
            for m, b in zip(models, opened, strict=True)
        ]
        cadence = [ms // rates.block_ms for ms in (rates.fast_ms, rates.slow_ms, rates.ctx_ms, _PONG_MS)]
        return SpanLayout(
            span.path,
            span.time_ms,
            np.array(traits, dtype=np.int64),
            np.array([*cadence, rates.resize_q8, rates.trade_q10, _LATE_Q10], dtype=np.int64),
            coins,
            self._connects(day, index, span.time_ms.size),
            text_bytes("".join(acks)),
            np.cumsum([len(line) for line in acks], dtype=np.int64),
        )

    def _connects(self, day: int, index: int, blocks: int) -> NDArray[np.int64]:
        """Return (first silent block, block of the connect): at the start, and once in every later session."""
        connects = [(0, 0), (blocks, blocks)]
        if index > 0:
            back = blocks // 4 + key64(*self._key(day, index), "reconnect") % (blocks // 2)
            connects.insert(1, (back - _SILENCE_MS // self.spec.rates.block_ms, back))
        return np.array(connects, dtype=np.int64)


def acknowledgements(coins: list[str]) -> list[str]:
    """Return the venue's answers to the five subscriptions of every coin, one line each."""
    kinds = (
        '"type":"l2Book","coin":"{}","nSigFigs":null,"mantissa":null',
        '"type":"l2Book","coin":"{}","nSigFigs":null,"mantissa":null,"fast":true',
        '"type":"bbo","coin":"{}"',
        '"type":"trades","coin":"{}"',
        '"type":"activeAssetCtx","coin":"{}"',
    )
    head, tail = '{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":{', "}}}\n"
    return [head + kind.replace("{}", coin) + tail for coin in coins for kind in kinds]
