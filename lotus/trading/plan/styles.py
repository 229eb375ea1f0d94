"""The styles of a plan: how it is entered and left, and what follows when its entry rests and is not filled.

The names are `lotus.detectors.entry_style`'s. A position is always left, so an exit at rest crosses in the end.
"""

from dataclasses import dataclass
from typing import Final

from lotus.detectors.entry_style import MOST_REPEGS, EntryStyle, Fallback

MOST_SLICES: Final = 10  # of a plan whose entry rests: each of its orders has one of the few names of a plan


@dataclass(frozen=True, slots=True)
class Styles:
    """Entry, its fallback, and exit; the default crosses the spread both ways."""

    entry: EntryStyle = EntryStyle.CROSS
    fallback: Fallback = Fallback.CROSS
    exit: EntryStyle = EntryStyle.CROSS

    @property
    def crosses(self) -> bool:
        """Whether nothing of a plan rests but its stop."""
        return self.entry is EntryStyle.CROSS and self.exit is EntryStyle.CROSS

    def ordered(self, entry: str = "", fallback: str = "", leaving: str = "") -> "Styles":
        """Return the styles with those that are ordered by name; "" leaves one as it is.

        Raises `ValueError` for a name that is none.

        >>> Styles().ordered(entry="join").entry
        <EntryStyle.JOIN: 'join'>
        """
        return Styles(
            EntryStyle(entry or self.entry), Fallback(fallback or self.fallback), EntryStyle(leaving or self.exit)
        )


CROSSING: Final = Styles()


def repegs_of(slices: int) -> int:
    """Return how often one slice of an entry may be re-pegged: all slices together share what one would have.

    >>> repegs_of(1), repegs_of(10)
    (20, 2)
    """
    return max(1, MOST_REPEGS // max(1, slices))
