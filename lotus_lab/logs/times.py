"""Times of logs as microseconds since 1970."""

import pandas as pd

from lotus.errors import SchemaError
from lotus_lab.reading.cells import shortened


def us_of(text: object, where: str, utc: bool = False) -> int:
    """Return a time as us since 1970; `utc`: one without a zone is UTC, else it is refused (`SchemaError`)."""
    written = str(text)
    try:
        moment = pd.Timestamp(int(written), unit="ms", tz="UTC") if written.isdigit() else pd.Timestamp(written)
    except (ValueError, OverflowError):
        raise SchemaError(f"{where}: time {shortened(repr(text))}", "ISO 8601, or milliseconds since 1970") from None
    if pd.isna(moment) or (moment.tzinfo is None and not utc):
        raise SchemaError(f"{where}: time {text!r} has no zone", "a UTC time with Z or an offset")
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return int(moment.value) // 1000
