"""The names that a signer placed in the last days: the newest as they are, older ones as numbers in sorted arrays.

A name among thousands of others takes 300 bytes as an entry of a dict, and 24 as three numbers. Of an older name the
first 64 bits of its hash are kept: among two million names one in ten million new ones is taken for one of them, and
is then asked for instead of sent. In the literature: log-structured merge tree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64

NEWEST: Final = 1_024  # hashing them all takes 2 ms


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of one signature: after `expires_ms` (venue's clock) its request cannot be accepted any more."""

    nonce: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class _Run:
    """Older names in the order of their `keys` u8[n], with nonces and ends of validity i8[n]."""

    keys: NDArray[np.uint64]
    nonces: NDArray[np.int64]
    ends_ms: NDArray[np.int64]

    def place(self, key: np.uint64) -> int:
        """Return the row of a key, -1 where there is none."""
        row = int(np.searchsorted(self.keys, key))
        return row if row < len(self.keys) and self.keys[row] == key else -1

    def those(self, rows: NDArray[np.bool_]) -> "_Run":
        """Return the marked rows alone."""
        return _Run(self.keys[rows], self.nonces[rows], self.ends_ms[rows])


@dataclass(slots=True)
class SignedNames:
    """All names of the last days; `recent` holds the newest."""

    recent: dict[str, Signed] = field(default_factory=dict)
    _runs: list[_Run] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        """Tell whether a name was signed."""
        return self.get(name) is not None

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.recent) + sum(len(run.keys) for run in self._runs)

    def get(self, name: str) -> Signed | None:
        """Return the last signature of a name."""
        signed = self.recent.get(name)
        if signed is not None or not self._runs:
            return signed
        key = np.uint64(key64(name))
        for run in reversed(self._runs):
            if (row := run.place(key)) >= 0:
                return Signed(int(run.nonces[row]), int(run.ends_ms[row]))
        return None

    def add(self, names: Iterable[str], signed: Signed) -> None:
        """Note names of one signature."""
        self.recent |= dict.fromkeys(names, signed)
        if len(self.recent) >= NEWEST:
            self._runs.append(_run_of(self.recent))
            self.recent = {}
            while len(self._runs) > 1 and len(self._runs[-2].keys) <= 2 * len(self._runs[-1].keys):
                newer, older = self._runs.pop(), self._runs.pop()
                self._runs.append(_merged(older, newer))

    def void(self, nonce: int) -> None:
        """Drop a signature; an earlier one of the same name, of an older array, counts again: it was sent."""
        self.recent = {name: signed for name, signed in self.recent.items() if signed.nonce != nonce}
        self._keep([run.nonces != nonce for run in self._runs])

    def prune(self, before_ms: int) -> None:
        """Drop older names signed before a time: nonces are times."""
        self._keep([run.nonces >= before_ms for run in self._runs])

    def _keep(self, rows: list[NDArray[np.bool_]]) -> None:
        kept = [run if own.all() else run.those(own) for run, own in zip(self._runs, rows, strict=True)]
        self._runs = [run for run in kept if len(run.keys)]


def _run_of(names: Mapping[str, Signed]) -> _Run:
    keys = np.fromiter(map(key64, names), np.uint64, len(names))
    nonces = np.fromiter((signed.nonce for signed in names.values()), np.int64, len(names))
    ends_ms = np.fromiter((signed.expires_ms for signed in names.values()), np.int64, len(names))
    order = np.argsort(keys, kind="stable")
    return _Run(keys[order], nonces[order], ends_ms[order])


def _merged(older: _Run, newer: _Run) -> _Run:
    """Return both as one; of a name in both the newer signature."""
    older = older.those(~np.isin(older.keys, newer.keys))
    keys = np.concatenate([older.keys, newer.keys])
    order = np.argsort(keys, kind="stable")
    nonces, ends_ms = np.concatenate([older.nonces, newer.nonces]), np.concatenate([older.ends_ms, newer.ends_ms])
    return _Run(keys[order], nonces[order], ends_ms[order])
