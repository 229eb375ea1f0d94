"""Frozen domain values as jsonb bodies and back, exact to the bit; numbers JSON loses are written as text."""

import json
import math
from typing import Any, Final, TypeVar

import msgspec

from lotus.errors import LedgerError
from lotus.plain import plain_of, value_of

T = TypeVar("T")
_PLAIN: Final = frozenset({str, int, bool, type(None)})


def to_body(value: Any) -> str:
    """Return the JSON text of a frozen value or plain data, see `to_plain`."""
    return json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_body(body: Any, kind: type[T]) -> T:
    """Return the value of type `kind` behind a body; raises `LedgerError` when the row has another form."""
    try:
        return value_of(body, kind, strict=False)
    except msgspec.ValidationError as problem:
        cause = "the row was written by another version"
        raise LedgerError(f"a row is no {kind.__name__}: {problem}", "the fields of this version", cause) from problem


def to_plain(value: Any) -> Any:
    """Return a frozen value as JSON data; NaN, infinities and the negative zero become "nan", "inf", "-inf", "-0.0"."""
    return _plain(plain_of(value))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and (not math.isfinite(value) or (value == 0.0 and math.copysign(1.0, value) < 0.0)):
        return str(value)
    if isinstance(value, dict):
        return {str(k): v if type(v) in _PLAIN else _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [v if type(v) in _PLAIN else _plain(v) for v in value]
    return value
