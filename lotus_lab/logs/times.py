"""Times of logs as microseconds since 1970."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from lotus.errors import SchemaError
from lotus_lab.reading.cells import shortened

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


def us_of(text: object, where: str, utc: bool = False) -> int:
    """Return a time as us since 1970; `utc`: one without a zone is UTC, else it is refused (`SchemaError`)."""
    written = str(text)
    try:
        moment = _read(written)
    except (ValueError, OverflowError):
        raise SchemaError(f"{where}: time {shortened(repr(text))}", "ISO 8601, or milliseconds since 1970") from None
    if pd.isna(moment) or (moment.tzinfo is None and not utc):
        raise SchemaError(f"{where}: time {text!r} has no zone", "a UTC time with Z or an offset")
    return ((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment) - _EPOCH) // _US


def _read(written: str) -> datetime:
    if written.isdigit():
        return pd.Timestamp(int(written), unit="ms", tz="UTC").to_pydatetime()
    try:
        return datetime.fromisoformat(written)
    except ValueError:  # forms that pandas reads as well
        return pd.Timestamp(written).to_pydatetime(warn=False)
