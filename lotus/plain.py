"""Frozen values as JSON data without the fields that came later and say nothing: older content keeps its hash.

A field declared by `later` is left out wherever it holds its default; reading puts the default back. Reading a type for
the first time is one thread's. No value type belongs here.
"""

import dataclasses
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_type_hints

import msgspec

_LATER: Final = "left out of JSON at its default"
_FIRST: Final = threading.Lock()
_READ: Final[set[object]] = set()  # types that were read
T = TypeVar("T")


def value_of(plain: object, kind: type[T], strict: bool = True) -> T:
    """Return the value of a type that JSON data holds; raises `msgspec.ValidationError` where it holds none.

    msgspec collects the fields of a dataclass as it is first read, and a second thread that reads it meanwhile ends the
    process. So the first time is one thread's.
    """
    if kind in _READ:
        return msgspec.convert(plain, kind, strict=strict)
    with _FIRST:
        found = msgspec.convert(plain, kind, strict=strict)
        _READ.add(kind)
    return found


def later(default: Any) -> Any:
    """Return a dataclass field with a default at which it is left out of `plain_of`."""
    return dataclasses.field(default=default, metadata={_LATER: True})


def plain_of(value: object) -> Any:
    """Return a frozen value, or plain data that holds some, as JSON data; fields in declared order.

    >>> @dataclasses.dataclass
    ... class Cap:
    ...     size: float
    ...     level: int = later(0)
    >>> plain_of([Cap(1.0), Cap(1.0, 2)])
    [{'size': 1.0}, {'size': 1.0, 'level': 2}]
    """
    plain = msgspec.to_builtins(value)
    _leave_out(value, plain)
    return plain


def _leave_out(value: object, plain: Any) -> None:
    if isinstance(value, Mapping):
        for inner, form in zip(value.values(), plain.values(), strict=True):
            _leave_out(inner, form)
    elif isinstance(value, list | tuple) and isinstance(plain, list | tuple):
        for inner, form in zip(value, plain, strict=True):
            _leave_out(inner, form)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        defaults, inside = _fields(type(value))
        for name, default in defaults:
            if getattr(value, name) == default:
                del plain[name]
        for name in inside:
            if name in plain:
                _leave_out(getattr(value, name), plain[name])


@cache
def _fields(kind: type) -> tuple[tuple[tuple[str, object], ...], tuple[str, ...]]:
    """Return the later fields of a dataclass with their defaults, and the fields that may hold such ones inside."""
    hints = get_type_hints(kind)
    defaults = tuple(_defaults(kind).items())
    inside = (f.name for f in dataclasses.fields(kind) if any(map(_defaults, _within(hints[f.name], set()))))
    return defaults, tuple(inside)


def _defaults(kind: Any) -> dict[str, object]:
    return {f.name: f.default for f in dataclasses.fields(kind) if _LATER in f.metadata}


def _within(kind: Any, seen: set[type]) -> set[type]:
    """Return the dataclasses that a value of a type may hold at any depth, itself too."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind not in seen:
        seen.add(kind)
        for hint in get_type_hints(kind).values():
            _within(hint, seen)
    for inner in get_args(kind):
        _within(inner, seen)
    return seen
