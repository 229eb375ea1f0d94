"""A share of the universe: which of its coins one of several daemons takes. (Literature: static partitioning.)"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lotus.errors import ConfigError
from lotus.manifest import Asset

MOST: Final = 64
_FORM: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class Share:
    """Share `number` of `count`: every `count`-th coin of the universe from the `number`-th on, counted from 1."""

    number: int
    count: int

    @property
    def name(self) -> str:
        """Its name as people write it, `K/N`."""
        return f"{self.number}/{self.count}"

    @property
    def suffix(self) -> str:
        """Its name as a part of the names of tapes and files."""
        return f"{self.number}of{self.count}"

    def lease(self, branch: str) -> str:
        """Return the name of its lease."""
        return f"{branch} {self.name}"

    def of(self, universe: Sequence[Asset]) -> tuple[Asset, ...]:
        """Return its coins, in the order of the universe; raises `ConfigError` where none is left for it.

        >>> [a.name for a in Share(2, 2).of([Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2)])]
        ['ETH']
        """
        if self.count > len(universe):
            found = f"{self.count} shards of {len(universe)} coins"
            raise ConfigError(found, "at most as many shards as coins", "a wrong N in --shard K/N")
        return tuple(universe[self.number - 1 :: self.count])


def parse_share(text: str) -> Share:
    """Return the share of a text `K/N`; raises `ConfigError` for another text.

    >>> parse_share("2/4")
    Share(number=2, count=4)
    """
    found = _FORM.fullmatch(text)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count <= MOST:
        raise ConfigError(f"shard {text!r}", f"K/N with 1 <= K <= N <= {MOST}, such as 1/2", "a wrong --shard")
    return Share(number, count)
