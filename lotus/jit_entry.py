"""The machine code of a kernel for arguments whose types never change, called without looking those types up again.

numba's dispatcher finds the code for a call by the type of every argument, which for a kernel of twenty arrays costs
more than a short message's work. For the live path's innermost calls only: everything else calls the kernel itself.
(Literature: monomorphic call site, inline caching.)
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def entry_point(kernel: Callable[P, R], *arguments: Any) -> Callable[P, R]:
    """Return the compiled form of `kernel` for the types of these arguments; compiles or loads it, does not run it.

    Whoever calls it must always pass the same types, and arrays of the same dtype, dimensions and layout. Only what
    is no array, or has items of another size, raises `TypeError`; the rest would be read as if it were right.
    """
    dispatcher = cast(Any, kernel)
    return cast(Callable[P, R], dispatcher.compile(tuple(dispatcher.typeof_pyval(one) for one in arguments)))
