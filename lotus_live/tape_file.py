"""Recordings as lines of tape for replay: segments, or plain or compressed text of `<receive ns> <raw frame>` lines.

Reading only; every line has the number it has within its UTC day. What coins a recording holds comes from the header
of its tape where there is one, else from the shipped table or the decimals seen. Nothing else is decoded here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lotus.manifest import Asset
from lotus_live.clocks import Arrival, LineCounter
from lotus_store.tape.coin_units import survey
from lotus_store.tape.header import HeaderAsset, decode_header
from lotus_store.tape.import_recording import recording_lines

_MAX_STAMP = 2**63 - 1


@dataclass(frozen=True)
class TapeFile:
    """One or several recordings, read one after the other as one tape."""

    paths: tuple[Path, ...]

    def arrivals(self) -> Iterator[Arrival]:
        """Yield every line, numbered; raises `TapeError` when a file is missing, truncated or damaged."""
        counter, last_ns = LineCounter(), 0
        for stamp_ns, frame in recording_lines(self.paths):
            last_ns = stamp_ns if stamp_ns <= _MAX_STAMP else last_ns
            yield Arrival(last_ns, counter.number(last_ns), frame)

    @cached_property
    def units(self) -> tuple[HeaderAsset, ...]:
        """Coins of the recording with their size decimals: its tape's header, else a survey of all its frames."""
        header = self.paths[0].resolve().parent.parent / "header.json"
        if self.paths[0].name.endswith(".zst") and header.is_file():
            return decode_header(header.read_bytes(), str(header)).universe
        return survey(frame for _, frame in recording_lines(self.paths)).universe()

    @property
    def universe(self) -> tuple[Asset, ...]:
        """The coins in the form that decoders take."""
        return tuple(Asset(a.name, a.sz_decimals) for a in self.units)
