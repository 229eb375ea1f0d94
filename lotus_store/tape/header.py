"""The header of a tape: which coins in which order and units, where the lines came from, and its session hours.

The order of the universe is the asset index of everything decoded from the tape. A plain value with its JSON form;
where the file lies is known to `store`.
"""

from dataclasses import dataclass

import msgspec

from lotus.errors import ConfigError, TapeError
from lotus.manifest import Asset
from lotus.microtape.gaps import TapeHours, parse_session
from lotus.microtape.parser.frame import MAX_COINS
from lotus.names import path_step
from lotus_store.sealed import seal_json, unseal_json


class HeaderAsset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One coin; `inferred` = its size decimals were guessed from the data, not told by the venue."""

    name: str
    sz_decimals: int
    inferred: bool = False


class TapeHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every segment of a tape shares; `sessions` = hours (UTC, "HH:MM") with tape, empty = always."""

    tape: str
    source: str
    universe: tuple[HeaderAsset, ...]
    sessions: tuple[tuple[str, str], ...] = ()
    created_by: str = ""
    note: str = ""

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The universe in the form the decoder takes."""
        return tuple(Asset(asset.name, asset.sz_decimals) for asset in self.universe)

    @property
    def session_hours(self) -> tuple[TapeHours, ...]:
        """Session hours as milliseconds of the day; raises `TapeError` for hours that are none."""
        return tuple(parse_session(start, end) for start, end in self.sessions)


@dataclass(frozen=True, slots=True)
class UniverseSplit:
    """A tape's coins seen from a wanted universe: those wanted (in the wanted order) and those only to be counted."""

    universe: tuple[Asset, ...]
    ignored: tuple[Asset, ...]


def encode_header(header: TapeHeader) -> bytes:
    """Return the JSON text of a header, the same for equal headers."""
    return seal_json(header, indent=2)


def decode_header(raw: bytes, where: str) -> TapeHeader:
    """Parse and check a header; raises `TapeError` naming the file."""
    try:
        header = unseal_json(raw, TapeHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TapeError(
            f"{where} is not a tape header ({error})",
            "JSON as written by lotus",
            "damage; take it from a backup, or remove the tape and make it again: lotus import or lotus record",
        ) from error
    names = [asset.name for asset in header.universe]
    if len(set(names)) != len(names) or not names:
        raise TapeError(f"{where} lists the coins {names}", "at least one coin, each once")
    if len(names) > MAX_COINS:
        raise TapeError(f"{where} lists {len(names)} coins", f"at most {MAX_COINS}")
    for asset in header.universe:
        try:
            path_step(asset.name)
        except ConfigError as error:
            raise TapeError(f"{where}: {error.found}", error.expected, error.cause) from error
        if not 0 <= asset.sz_decimals <= 6:
            raise TapeError(f"{where}: {asset.name} has {asset.sz_decimals} size decimals", "0 to 6")
    _ = header.session_hours  # raises for hours that are none
    return header


def split_universe(header: TapeHeader, wanted: tuple[Asset, ...]) -> UniverseSplit:
    """Return the wanted coins with the tape's own units, and the rest; raises `TapeError` when units disagree.

    A wanted coin that the tape does not have keeps its place (it will have no events).
    """
    units = {asset.name: asset for asset in header.assets}
    for asset in wanted:
        unit = units.get(asset.name, asset)
        if unit.sz_decimals != asset.sz_decimals:
            raise TapeError(
                f"tape {header.tape} holds {asset.name} with {unit.sz_decimals} size decimals",
                f"{asset.sz_decimals}, as the manifest says",
                "a universe written for another venue or year",
            )
    names = {asset.name for asset in wanted}
    return UniverseSplit(wanted, tuple(asset for asset in header.assets if asset.name not in names))
