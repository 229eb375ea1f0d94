"""A share of the universe: which of its coins one of several live daemons takes, and what bears its name.

Shares are those of recorders (`lotus_store.tape.shards`). (Literature: static partitioning.)
"""

import re
from dataclasses import dataclass
from typing import Final

from lotus.errors import ConfigError
from lotus_store.tape.shards.plan import MOST_SHARDS, Shard

_FORM: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class Share(Shard):
    """A shard of a live universe."""

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


def parse_share(text: str) -> Share:
    """Return the share of a text `K/N`; raises `ConfigError` for another text.

    >>> parse_share("1/4")
    Share(number=1, count=4)
    """
    found = _FORM.fullmatch(text)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not number < count <= MOST_SHARDS:
        raise ConfigError(f"shard {text!r}", f"K/N, K from 0 to N - 1, N at most {MOST_SHARDS}", "a wrong --shard")
    return Share(number, count)
