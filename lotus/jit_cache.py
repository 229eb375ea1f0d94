"""Compiled kernels on disk: one file for each kernel, kinds of arguments and CPU, written whole or not at all.

numba's own index beside the files may, when two processes write at once or one is killed, name the code of other
types. Here the name of a file is the hash of what is in it, which is also read back from it.
"""

import hashlib
import pickle
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.codegen import ll
from numba.core.runtime import rtsys
from numba.core.serialize import dumps


class KernelCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of one kernel, with files of our own.

    Code that is found is loaded without first making type inference ready, which costs more than all kernels of a
    start: it needs only numba's runtime. When none is found, the compiler makes the rest ready itself.
    """

    stored = 0  # by this process, of all kernels

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _Files(Path(self._cache_path), self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the stored code of a signature, None when there is none; it hands on what it needs to its callers."""
        rtsys.initialize(target_context)
        codegen = target_context.codegen()
        stored = self._cache_file.load(self._index_key(sig, codegen))
        if stored is None:
            return None
        (name, form, (code, for_callers)), described, *rest = stored
        codegen._engine._defined_symbols.add(described.llvm_cpython_wrapper_name)
        found = self._impl.rebuild(target_context, ((name, form, (code, _nothing())), described, *rest))
        found.library._reload_init.update(found.reload_init)
        found.library.for_callers = for_callers
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store code that was just compiled."""
        KernelCache.stored += 1
        super().save_overload(sig, data)


def read_for_callers(library: Any) -> None:
    """Make a loaded kernel ready to be compiled into others, which a start that compiles nothing need not do."""
    stored, library.for_callers = getattr(library, "for_callers", None), None
    if stored is not None:
        library._shared_module = ll.parse_bitcode(stored)


@cache
def _nothing() -> bytes:
    return bytes(ll.parse_assembly("").as_bitcode())


class _Files:
    """The files of one kernel; the part of numba's `IndexDataCacheFile` that its cache calls."""

    def __init__(self, folder: Path, name: str, stamp: Any) -> None:
        self._folder, self._name, self._stamp = folder, name, stamp

    def load(self, key: Any) -> Any:
        """Return what is stored under a key, None when there is nothing."""
        identity = self._identity(key)
        try:
            stored, data = pickle.loads(self._path(identity).read_bytes())
        except FileNotFoundError:
            return None
        return pickle.loads(data) if stored == identity else None

    def save(self, key: Any, data: Any) -> None:
        """Store under a key, in place of what was there."""
        identity = self._identity(key)
        path = self._path(identity)
        whole = path.with_suffix(f".{uuid.uuid4().hex}.tmp")
        try:
            whole.write_bytes(pickle.dumps((identity, dumps(data))))
            whole.replace(path)
        finally:
            whole.unlink(missing_ok=True)

    def flush(self) -> None:
        """Forget what is stored."""
        for path in self._folder.glob(f"{self._name}.*.nbc"):
            path.unlink(missing_ok=True)

    def _identity(self, key: Any) -> str:
        return repr((self._stamp, key))

    def _path(self, identity: str) -> Path:
        return self._folder / f"{self._name}.{hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()}.nbc"
