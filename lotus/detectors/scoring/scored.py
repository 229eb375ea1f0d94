"""Scored windows as the kernel leaves them, and the columns of SIGNAL_EVENTS they become in whoever reads those.

The feed hands numbers on; names, identities and column types are added later and for many windows at once, to the same
values. Nothing is scored here. (Literature: late materialisation in column stores.)
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import repeated
from lotus.detectors.scoring import signal_spec as spec
from lotus.detectors.spec import DetectorSpec
from lotus.hashing import DIGEST_BYTES
from lotus.manifest import Asset
from lotus.priors.vocabulary import BIN_COLUMNS

LIVE: Final = "live"
BATCH: Final = "batch"
Columns = dict[str, NDArray[np.generic]]


class EventIds:
    """Event identities: natural_id(branch, detector_id, spec_version, asset, window_start_ms), from shared prefixes."""

    def __init__(
        self, branch: str, detectors: Sequence[DetectorSpec], universe: Sequence[Asset], window_ms: int
    ) -> None:
        """Hash what all windows of an asset and a detector share."""
        self._prefixes = [
            [_digest(branch, d.detector_id, d.version, asset.name) for d in detectors] for asset in universe
        ]
        self._window_ms = window_ms

    def of(self, ints: NDArray[np.int64]) -> list[str]:
        """Return one identity per row."""
        ids, last_ms, part = [], -1, b""
        columns = (ints[:, k].tolist() for k in (spec.K_ASSET, spec.K_DETECTOR, spec.K_END))
        for asset, detector, end_ms in zip(*columns, strict=True):  # no list a row: they would wake the collector
            if end_ms != last_ms:
                last_ms, part = end_ms, _part(end_ms - self._window_ms)
            digest = self._prefixes[asset][detector].copy()
            digest.update(part)
            ids.append(digest.hexdigest())
        return ids


@dataclass(frozen=True, slots=True, eq=False)
class EventNames:
    """What the numbers in a scorer's rows stand for: its assets, detectors and priors by position, and the rest."""

    branch: str
    universe: tuple[Asset, ...]
    detectors: tuple[DetectorSpec, ...]
    tables_ver: str
    priors_vers: tuple[str, ...]
    window_ms: int
    ids: EventIds


@dataclass(slots=True)
class Scored:
    """Rows of one or more windows, one per detector: ints i8[n, N_INTS], floats f8[n, N_FLOATS], bins u1[n, 12].

    `published` counts the rows that were. Not to be changed once it was handed out.
    """

    names: EventNames
    ints: NDArray[np.int64]
    floats: NDArray[np.float64]
    bins: NDArray[np.uint8]
    published: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ints)

    def put_first(self, other: "Scored") -> None:
        """Put the rows of the same window that another scorer made of the first detectors in the place of these."""
        n = len(other)
        self.published += other.published - int(self.ints[:n, spec.K_PUBLISHED].sum())
        self.ints[:n], self.floats[:n], self.bins[:n] = other.ints, other.floats, other.bins

    def columns(self, source: str = LIVE, wanted: Sequence[str] = spec.SIGNAL_EVENTS.names) -> Columns:
        """Return the wanted columns of SIGNAL_EVENTS; `source` says which way the rows were made."""
        names, ints, n = self.names, self.ints, len(self.ints)
        detector, veto = ints[:, spec.K_DETECTOR], ints[:, spec.K_VETO]
        make: dict[str, Callable[[], NDArray[np.generic]]] = {
            "event_id": lambda: _texts(names.ids.of(ints)),
            "branch": lambda: repeated(names.branch, n),
            "detector_id": lambda: _texts([d.detector_id for d in names.detectors])[detector],
            "spec_version": lambda: np.array([d.version for d in names.detectors], dtype=np.int32)[detector],
            "asset": lambda: _texts([a.name for a in names.universe])[ints[:, spec.K_ASSET]],
            "window_start_ms": lambda: ints[:, spec.K_END] - names.window_ms,
            "horizon_s": lambda: np.array([d.horizon_s for d in names.detectors], dtype=np.int32)[detector],
            "veto": lambda: veto.astype(np.uint32),
            "eligible": lambda: veto == 0,
            "published": lambda: ints[:, spec.K_PUBLISHED] == 1,
            "fired": lambda: ints[:, spec.K_FIRED].astype(np.uint64),
            "priors_ver": lambda: _texts(names.priors_vers)[ints[:, spec.K_VERSION]],
            "tables_ver": lambda: repeated(names.tables_ver, n),
            "cond_key": lambda: np.ascontiguousarray(ints[:, spec.K_COND]).view(np.uint64),
            "source": lambda: repeated(source, n),
        }
        return {name: make[name]() if name in make else self._number(name) for name in wanted}

    def _number(self, name: str) -> NDArray[np.generic]:
        """Return a column that stands in the rows as the table has it."""
        for values, held in ((self.ints, spec.KERNEL_INTS), (self.floats, spec.KERNEL_FLOATS)):
            if name in held:
                return np.ascontiguousarray(values[:, held.index(name)])
        return np.ascontiguousarray(self.bins[:, BIN_COLUMNS.index(name)])


def columns_of(parts: Iterable[Scored], source: str = LIVE) -> Columns:
    """Return the columns of many windows one after the other, made at once wherever the names stay the same."""
    return joined([_stacked(list(same)).columns(source) for _, same in groupby(parts, key=lambda part: part.names)])


def joined(parts: Sequence[Columns]) -> Columns:
    """Return event columns one after the other (all columns of SIGNAL_EVENTS, also without a row)."""
    if not parts:
        return {name: np.zeros(0, spec.SIGNAL_EVENTS.numpy_dtype(name)) for name in spec.SIGNAL_EVENTS.names}
    return {name: np.concatenate([part[name] for part in parts]) for name in spec.SIGNAL_EVENTS.names}


def _stacked(parts: Sequence[Scored]) -> Scored:
    ints, floats = np.concatenate([p.ints for p in parts]), np.concatenate([p.floats for p in parts])
    bins = np.concatenate([p.bins for p in parts])
    return Scored(parts[0].names, ints, floats, bins, sum(p.published for p in parts))


def _texts(texts: Sequence[str]) -> NDArray[np.object_]:
    return np.array(texts, dtype=object)


def _digest(*parts: str | int) -> "hashlib.blake2b":
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(_part(part))
    return digest


def _part(part: str | int) -> bytes:
    raw = repr(part).encode()
    return b"%s:%d:%s" % (type(part).__name__.encode(), len(raw), raw)
