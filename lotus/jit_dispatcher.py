"""How kernels are compiled: each once for its types, and a long one called by its name instead of copied.

numba compiles a callee anew for every literal it is called with, and puts the code of every callee into its caller,
all the way up, to be optimised again. Here a call is typed by the kinds of its arguments alone, and a kernel too long
to be inlined stays where it is: its caller keeps its name, which is the same in every process, and asks for it to be
loaded first. (Literature: separate compilation.) No kernel belongs here; what is kept on disk is in `jit_cache`.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numba.core import types
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher
from numba.core.types.misc import unliteral

from lotus.jit_cache import read_for_callers

LONG = 250  # lines of optimised code from which a kernel is called by its name; LLVM inlines far shorter ones only

_NARROW = frozenset((types.int8, types.int16, types.int32, types.uint8, types.uint16, types.uint32))


class _Compiler(Compiler):  # type: ignore[misc]
    """numba's compiler, with names of machine code that do not count what was compiled before."""

    def _compile_bytecode(self) -> Any:
        if _has_a_place(self.state.func_id.func):
            self.state.func_id.unique_id = 0
        return super()._compile_bytecode()


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
    """Loads a kernel that the code about to be loaded calls by its name."""

    module: str
    name: str
    signature: tuple[Any, ...]

    def __call__(self) -> None:
        getattr(importlib.import_module(self.module), self.name).compile(self.signature)


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
    loads = _Needed(described.modname, described.qualname, tuple(made.signature.args))
    if loads in library._reload_init:
        return
    code = library._get_module_for_linking()
    if str(code.get_function(described.mangled_name)).count("\n") < LONG:
        return
    library._shared_module = library.codegen.create_library(library.name)._final_module  # an empty one
    library._reload_init.add(loads)
