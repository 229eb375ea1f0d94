"""The C library's heap of this process: few arenas, and what a start left over given back.

Every thread that allocates gets an arena of its own, eight for each core, and each keeps what was free in it at its
fullest. Python's threads allocate one after the other, so two arenas serve them all. Elsewhere than with glibc nothing
happens. (`mallopt(3)`, `malloc_trim(3)`)
"""

import ctypes
from contextlib import suppress
from typing import Final

ARENAS: Final = 2
_M_ARENA_MAX: Final = -8


def bound_arenas() -> None:
    """Let threads that begin from now on share `ARENAS` arenas."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Give what is free in the heap back to the machine."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
