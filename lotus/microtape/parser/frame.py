"""The strict byte parser: one frame of l2Book, bbo, trades or activeAssetCtx to integers, without a JSON tree.

It knows exactly the key order and spacing the venue sends. Any surprise (another key order, a space, an escape, an
unknown coin, a number out of range, a price finer than its unit) is a negative kind, and the caller decodes the line
with the typed decoder, which is also the oracle of this parser. It never judges values and keeps no state.

Input convention: every line ends with a newline byte. No token contains one, so every loop stops there and no bound
is checked elsewhere. Idea: schema-specialised parsing (Langdale and Lemire, "Parsing gigabytes of JSON per second").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.jit import kernel
from lotus.manifest import Asset
from lotus.microtape.parser.ctx import parse_ctx
from lotus.microtape.parser.numbers import NAME_WIDTH, literal, literal_at
from lotus.microtape.parser.quotes import parse_bbo, parse_book
from lotus.microtape.parser.trades import parse_trades

SURPRISE: Final = -1
MAX_COINS: Final = 2**15 - 1  # the asset index of events and tables is an int16
_OPEN = literal('{"channel":"')


@dataclass(frozen=True, slots=True)
class CoinTable:
    """Names to positions, as arrays for the kernels and as a dictionary for the typed path.

    slots i8[power of two] = row + 1 or 0 (open addressing), names u1[n, 32] zero-padded, spec i8[n, 2] = size and
    price decimals. Rows from `n_assets` on are coins that are known but not wanted.
    """

    slots: NDArray[np.int64]
    names: NDArray[np.uint8]
    spec: NDArray[np.int64]
    rows: dict[str, int]
    n_assets: int


def coin_table(universe: Sequence[Asset], ignored: Sequence[Asset] = ()) -> CoinTable:
    """Return the table of a universe (positions as given) and of the coins whose frames are to be counted only.

    Raises `ConfigError` for more than `MAX_COINS` coins, which no asset index could name.
    """
    if len(universe) + len(ignored) > MAX_COINS:
        raise ConfigError(
            f"{len(universe) + len(ignored)} coins", f"at most {MAX_COINS}", "a recording with made-up coins"
        )
    wanted = set(universe)
    coins = [*universe, *(asset for asset in ignored if asset not in wanted)]
    size = 1 << max(4, (4 * len(coins)).bit_length())
    slots = np.zeros(size, dtype=np.int64)
    names = np.zeros((max(len(coins), 1), NAME_WIDTH), dtype=np.uint8)
    spec = np.zeros((max(len(coins), 1), 2), dtype=np.int64)
    for row, coin in enumerate(coins):
        raw = coin.name.encode()
        spec[row] = coin.sz_decimals, coin.px_decimals
        if len(raw) >= NAME_WIDTH:
            continue
        names[row, : len(raw)] = np.frombuffer(raw, dtype=np.uint8)
        code = 0
        for byte in raw:
            code = (code * 31 + byte) & 0xFFFFFFF
        slot = code & (size - 1)
        while slots[slot]:
            slot = (slot + 1) & (size - 1)
        slots[slot] = row + 1
    return CoinTable(slots, names, spec, {coin.name: row for row, coin in enumerate(coins)}, len(universe))


@kernel
def parse_frame(
    buf: NDArray[np.uint8],
    at: int,
    slots: NDArray[np.int64],
    names: NDArray[np.uint8],
    spec: NDArray[np.int64],
    pool: NDArray[np.int64],
    off: int,
) -> tuple[int, int, int, int, int]:
    """Parse the frame at `buf[at]` into `pool[off:end]` (layout of `events`); return (kind, row, time, end, newline).

    kind is an `EventKind` or `SURPRISE`. The pool needs room for 2 + 6 * 20 values, and 5 per print of a trade frame
    (one value per 8 bytes of the line is always enough).
    """
    at = literal_at(buf, at, _OPEN)
    if at < 0:
        return SURPRISE, 0, 0, off, at
    first = buf[at]
    if first == 98:
        return parse_bbo(buf, at, slots, names, spec, pool, off)
    if first == 108:
        return parse_book(buf, at, slots, names, spec, pool, off)
    if first == 116:
        return parse_trades(buf, at, slots, names, spec, pool, off)
    if first == 97:
        return parse_ctx(buf, at, slots, names, spec, pool, off)
    return SURPRISE, 0, 0, off, at
