"""Compiled kernels on disk: one file for each kernel, kinds of arguments and CPU, written whole or not at all.

A file is named by the hash of all that its code follows from (`jit_key`), and sealed by the hash of what is in it. So
whoever else fills the folder, dies in it, or brings files from elsewhere: a file is the right one, or none. Whose is
another's, damaged or calls code that is not there any more is compiled again.
"""

import hashlib
import logging
import pickle
import platform
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
from numba.core.codegen import ll
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from lotus.jit_key import seen_by, short_hash

SUFFIX = ".nbc"
SEAL_BYTES = 16

_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "LLVM_REFPRUNE_PASS", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
_MACHINERY = ("jit.py", "jit_cache.py", "jit_dispatcher.py", "jit_key.py")

logger = logging.getLogger(__name__)


class StaleCall(Exception):
    """Stored code calls a kernel by a name that this kernel does not have here."""


class KernelCache:
    """The cache of one kernel, as numba's dispatcher asks for it.

    Code that is found is loaded without first making type inference ready, which costs more than all kernels of a
    start: it needs only numba's runtime. When none is found, the compiler makes the rest ready itself.
    """

    stored = 0  # by this process, of all kernels

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any], folder: Path) -> None:
        self._function, self._options = function, repr(sorted(options.items()))
        self._folder = folder
        self.cache_path = str(folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the stored code of a signature, None when there is none; it hands on what it needs to its callers."""
        rtsys.initialize(target_context)
        codegen = target_context.codegen()
        body = read_sealed(self._path(sig, codegen))
        if body is None:
            return None
        (name, form, (code, for_callers)), described, *rest = pickle.loads(body)
        codegen._engine._defined_symbols.add(described.llvm_cpython_wrapper_name)
        try:
            found = CompileResult._rebuild(target_context, (name, form, (code, _nothing())), described, *rest)
        except StaleCall as stale:
            logger.info("%s is compiled again: %s", described.qualname, stale)
            return None
        found.library._reload_init.update(found.reload_init)
        found.library.for_callers = for_callers
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store code that was just compiled, in place of what was there."""
        if data.library.has_dynamic_globals:
            return
        try:
            write_sealed(self._path(sig, data.codegen), dumps(data._reduce()))
            KernelCache.stored += 1
        except OSError:
            tell_that_nothing_is_kept()

    def _path(self, sig: Any, codegen: Any) -> Path:
        key = short_hash(repr(sig), repr(codegen.magic_tuple()), self._options, seen_by(self._function))
        return self._folder / f"{self._function.__module__}.{self._function.__qualname__}.{key}{SUFFIX}"


def read_for_callers(library: Any) -> None:
    """Make a loaded kernel ready to be compiled into others, which a start that compiles nothing need not do."""
    stored, library.for_callers = getattr(library, "for_callers", None), None
    if stored is not None:
        library._shared_module = ll.parse_bitcode(stored)


@cache
def compiler_hash() -> str:
    """Return the hash of what compiles: Python, numba and what it stands on, its settings, our part of it."""
    versions = compiler_versions().values()
    settings = (f"{name}={getattr(numba.config, name, None)}" for name in _SETTINGS)
    ours = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _MACHINERY)
    return short_hash(*versions, *settings, *ours)


def compiler_versions() -> dict[str, str]:
    """Return the version of each program that has a say in compiled code, by its name."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("numba", "llvmlite", "numpy")}


def read_sealed(file: Path) -> bytes | None:
    """Return what was written into a file of this name, None when it is absent, damaged or another's."""
    try:
        whole = file.read_bytes()
    except OSError:
        return None
    seal, body = whole[:SEAL_BYTES], whole[SEAL_BYTES:]
    return body if seal == _seal(file.name, body) else None


def write_sealed(file: Path, body: bytes) -> None:
    """Write a file in one step: whoever reads it sees all of it or none. Raises `OSError`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f"{file.stem}.{uuid.uuid4().hex}.tmp")
    try:
        half.write_bytes(_seal(file.name, body) + body)
        half.replace(file)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def _seal(name: str, body: bytes) -> bytes:
    return hashlib.blake2b(name.encode() + body, digest_size=SEAL_BYTES).digest()


@cache
def _nothing() -> bytes:
    return bytes(ll.parse_assembly("").as_bitcode())


@cache
def tell_that_nothing_is_kept() -> None:
    """Warn, once in a process, that what it compiles is lost with it."""
    logger.warning(
        "lotus: kernels are compiled anew by every process, which is slow: no folder for them may be written; "
        "expected: one that may be, named by LOTUS_KERNEL_CACHE"
    )
