"""What a kernel can see, as one hash: its code, the values it names, and the same of every kernel it may call.

Two kernels of one name and one hash are the same code in every process and every checkout. So the hash names stored
files and the symbols of machine code, and an edit renames the kernels that see it and no others. Not seen: comments,
docstrings, annotations, line numbers (a traceback into stored code may name an older line). (Literature: content
addressing, as of Unison definitions and Nix derivations.) How code is compiled or stored must not be put here.
"""

import enum
import hashlib
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numba.core import types as numba_types

Function = Callable[..., Any]

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
_LIBRARIES = frozenset(("builtins", "math", "numpy", "numba", "llvmlite"))  # their versions name the whole cache


def seen_by(function: Function) -> str:
    """Return the hash of all that a function can see when it is compiled; the values are those of the first call.

    Raises `TypeError` for a value of a kind that no rule here describes.
    """
    reached, waiting = {function}, [function]
    while waiting:
        new = [callee for callee in _view(waiting.pop()).callees if callee not in reached]
        reached.update(new)
        waiting += new
    return short_hash(_view(function).digest, *sorted(_view(one).digest for one in reached))


def short_hash(*parts: str) -> str:
    """Return 16 hexadecimal digits for these texts in this order."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


@cache
def _view(function: Function) -> "_View":
    return _View(function)


class _View:
    """What a function shows of itself, as a hash, and the functions that it names."""

    def __init__(self, function: Function) -> None:
        self.callees: dict[Function, None] = {}
        self._place = f"{function.__module__}.{function.__qualname__}"
        codes = list(_nested(function.__code__))
        self._names = {name for code in codes for name in code.co_names}
        parts = [self._place, *(part for code in codes for part in _text(code, function.__doc__))]
        for name, value in sorted(self._outside(function).items()):
            parts += [name, *self._described(value)]
        self.digest = short_hash(*parts)

    def _outside(self, function: Function) -> dict[str, Any]:
        """Return what a function takes from elsewhere, by name: defaults, module globals, closure cells."""
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        defaults = {"()": function.__defaults__ or ()} | {
            f"*{k}": v for k, v in (function.__kwdefaults__ or {}).items()
        }
        named = {name: value for name, value in function.__globals__.items() if name in self._names}
        return defaults | named | {name: cell.cell_contents for name, cell in cells}

    def _described(self, value: Any) -> Iterator[str]:
        if isinstance(value, _PLAIN):
            yield f"{type(value).__name__} {value!r}"
        elif isinstance(value, tuple):
            yield f"{type(value).__qualname__} {len(value)}"
            for item in value:
                yield from self._described(item)
        elif isinstance(value, np.ndarray):
            yield f"array {value.dtype.descr} {value.shape} {value.flags.f_contiguous} {value.tobytes().hex()}"
        elif isinstance(value, np.dtype):
            yield f"dtype {value.descr} {value.itemsize} {value.isalignedstruct}"
        elif isinstance(value, numba_types.Type):
            yield f"type {value.name}"
        elif hasattr(value, "py_func"):
            yield f"kernel {sorted(value.targetoptions.items())}"
            yield from self._described(value.py_func)
        elif isinstance(value, types.ModuleType | type | types.FunctionType) and _is_ours(value):
            yield from self._ours(value)
        elif hasattr(value, "__name__"):
            yield f"{getattr(value, '__module__', '')} {value.__name__}"
        else:
            raise TypeError(
                f"{self._place} names a value of {type(value).__name__}; expected: a number, an array, a tuple, "
                "a kernel, a module or a class; likely cause: a kernel that reads an object of Python's"
            )

    def _ours(self, value: Any) -> Iterator[str]:
        """Describe a function by itself, of a class or a module what the function names of it."""
        yield f"{type(value).__name__} {value.__name__}"
        if isinstance(value, types.FunctionType):
            self.callees[value] = None
        elif isinstance(value, enum.EnumMeta):
            members: dict[str, enum.Enum] = dict(value.__members__)
            yield repr([(name, member.value) for name, member in members.items()])
        else:
            yield repr(getattr(value, "_fields", ()))
            for name in sorted(self._names & vars(value).keys()):
                yield name
                yield from self._described(vars(value)[name])


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _text(code: types.CodeType, doc: str | None) -> Iterator[str]:
    yield from (code.co_code.hex(), code.co_exceptiontable.hex())
    yield repr((code.co_flags, code.co_argcount, code.co_kwonlyargcount, code.co_names, code.co_varnames))
    yield repr((code.co_freevars, code.co_cellvars))
    documented = doc is not None and code.co_consts[:1] == (doc,)
    for constant in code.co_consts[documented:]:
        if isinstance(constant, types.CodeType):
            yield constant.co_qualname
        else:
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def _is_ours(value: Any) -> bool:
    """Whether a value is of a package whose sources may change without a new version."""
    return (getattr(value, "__module__", None) or value.__name__).split(".")[0] not in _LIBRARIES
