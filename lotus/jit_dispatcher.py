"""How kernels are compiled: each once for its types, and a long one called by its name instead of copied.

numba compiles a callee anew for every literal it is called with, and puts the code of every callee into its caller,
all the way up, to be optimised again. Here a call is typed by the kinds of its arguments alone, and a kernel too long
to be inlined stays where it is: its caller keeps its name and asks for it to be loaded first. A name follows from what
the kernel can see and from its types alone (`jit_key`): in every process one name is one code. (Literature: separate
compilation.) No kernel belongs here; what is kept on disk is in `jit_cache`.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numba.core import types
from numba.core.compiler import Compiler
from numba.core.funcdesc import default_mangler
from numba.core.registry import CPUDispatcher
from numba.core.types.misc import unliteral

from lotus.jit_cache import StaleCall, read_for_callers
from lotus.jit_key import seen_by, short_hash

LONG = 250  # lines of optimised code from which a kernel is called by its name; LLVM inlines far shorter ones only

_NARROW = frozenset((types.int8, types.int16, types.int32, types.uint8, types.uint16, types.uint32))


class _Compiler(Compiler):  # type: ignore[misc]
    """numba's compiler, with names of machine code that do not count what this process did before."""

    def _compile_bytecode(self) -> Any:
        self.state.func_id.unique_id = seen_by(self.state.func_id.func)
        self.state.targetctx = self.state.targetctx.subtarget(mangler=_mangled)
        return super()._compile_bytecode()


def _mangled(name: str, kinds: tuple[Any, ...], **tags: Any) -> str:
    """Return the name of machine code; numba's own names a kind of record by its number in this process."""
    return str(default_mangler(name, (short_hash(*(getattr(kind, "name", repr(kind)) for kind in kinds)),), **tags))


class KernelDispatcher(CPUDispatcher):  # type: ignore[misc]
    """numba's dispatcher for kernels."""

    def __init__(
        self, function: Callable[..., Any], locals: dict[str, Any] | None = None, targetoptions: Any = None
    ) -> None:
        super().__init__(function, locals, targetoptions, _Compiler)

    def get_call_template(self, args: tuple[Any, ...], kws: Mapping[str, Any]) -> Any:
        """Type a call from another kernel, by the kinds of its arguments."""
        plain = tuple(_kind(one) for one in args), {name: _kind(one) for name, one in kws.items()}
        found = super().get_call_template(*plain)
        made = self.overloads.get(tuple(found[2]))
        if made is not None:
            read_for_callers(made.library)
            if not self.targetoptions.get("forceinline") and _has_a_place(self.py_func):
                _keep_apart(made)
        return found


@dataclass(frozen=True, slots=True)
class _Needed:
    """Loads a kernel that the code about to be loaded calls by its name; raises `StaleCall` when it has another."""

    module: str
    kernel: str
    signature: tuple[Any, ...]
    name: str

    def __call__(self) -> None:
        kernel = getattr(importlib.import_module(self.module), self.kernel)
        kernel.compile(self.signature)
        found = kernel.overloads[self.signature].fndesc.mangled_name
        if found != self.name:
            raise StaleCall(f"found {found}; expected: {self.name}; likely cause: files of other settings of numba")


def _kind(given: Any) -> Any:
    """Return the type without the value of a literal, an integer as wide as all are."""
    plain = unliteral(given)
    return types.int64 if plain in _NARROW else plain


def _has_a_place(function: Callable[..., Any]) -> bool:
    """Whether a function of the domain can be found by its module and name."""
    return function.__module__.startswith("lotus.") and "." not in function.__qualname__


def _keep_apart(made: Any) -> None:
    """Give those who call a long kernel its name only; what was stored of it stays whole."""
    library, described = made.library, made.fndesc
    loads = _Needed(described.modname, described.qualname, tuple(made.signature.args), described.mangled_name)
    if loads in library._reload_init:
        return
    code = library._get_module_for_linking()
    if str(code.get_function(described.mangled_name)).count("\n") < LONG:
        return
    library._shared_module = library.codegen.create_library(library.name)._final_module  # an empty one
    library._reload_init.add(loads)
