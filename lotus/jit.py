"""The typed door to numba: one decorator with the options that keep bits equal everywhere.

No fastmath, no parallel loops and no libm transcendental functions are allowed inside kernels (use `lotus.mathx`):
the same bytes in must give the same bits out on every CPU. Compiled code is kept in one folder for every version of
what compiles. How a kernel is compiled is in `jit_dispatcher`, how it is stored in `jit_cache`, what its name follows
from in `jit_key`.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

from lotus.jit_cache import KernelCache, compiler_hash, tell_that_nothing_is_kept
from lotus.jit_dispatcher import KernelDispatcher

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).resolve().parent
_ORDER = ("priors", "microtape", "tape_machine", "experts", "detectors", "outcomes", "learning", "weave", "simulation")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba, nogil, cached, IEEE division; arguments must be arrays, scalars or tuples.

    It may not make arrays, nor return any: compiled without reference counts (the caller holds every array), which
    are two atomic operations per array argument and call. `allocating_kernel` is for the others.
    """
    return _compiled(function, counted=False)


def inlined_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `kernel` a function whose machine code is put into every kernel that calls it.

    For dispatchers and short loops called for one row at a time, where passing arrays costs more than the work.
    """
    return _compiled(function, counted=False, forceinline=True)


def pasted_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `kernel` a function that is never code of its own: its text is put into every kernel that calls it.

    For a closure over a kernel, which has no name that another process would know. Slow to compile.
    """
    return _compiled(function, counted=False, inline="always")


def allocating_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `kernel` a function that makes arrays, or handles arrays that another one made."""
    return _compiled(function, counted=True)


def _compiled(function: Callable[P, R], counted: bool, **options: Any) -> Callable[P, R]:
    if numba.config.DISABLE_JIT:
        return function
    options |= {"nopython": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": counted}
    options.setdefault("forceinline", False)  # else it follows who calls first, and so do name and code
    compiled = KernelDispatcher(function, targetoptions=options)
    try:
        compiled._cache = KernelCache(function, options, kernel_folder())
    except RuntimeError:  # this user has no folder
        tell_that_nothing_is_kept()
    return cast(Callable[P, R], compiled)


def compiled_here() -> int:
    """Return how many kernels this process has compiled, those not counted that it found stored."""
    return KernelCache.stored


@cache
def kernel_folder() -> Path:
    """Return where compiled kernels are stored. Raises `RuntimeError` for a user without any folder."""
    return _cache_root() / f"kernels-{compiler_hash()}"


def folders_below(package: str) -> tuple[Path, ...]:
    """Return the folders of a package of the domain and of those it may use, lowest first; none for the base."""
    below = _ORDER[: _ORDER.index(package) + 1] if package in _ORDER else ()
    return tuple(_PACKAGE / name for name in below)


@cache
def cache_folder(package: str) -> Path:
    """Return where values of a package are stored: another folder when a source of it or below changes."""
    sources = sorted(_PACKAGE.glob("*.py"))
    for folder in folders_below(package):
        sources += sorted(folder.rglob("*.py"))
    digest = hashlib.blake2b(f"{sys.version} {numba.__version__}".encode(), digest_size=8)
    for source in sources:
        digest.update(source.read_bytes())
    return _cache_root() / f"{package or 'base'}-{digest.hexdigest()}"


def _cache_root() -> Path:
    beside = _PACKAGE.parent
    if "LOTUS_KERNEL_CACHE" in os.environ:
        return Path(os.environ["LOTUS_KERNEL_CACHE"])
    if os.access(beside, os.W_OK):
        return beside / ".kernel_cache"
    return Path.home() / ".cache" / "lotus" / "kernels"
