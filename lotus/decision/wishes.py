"""What people wish of the overlay curator: a small log nudge of one coin's expectation, for some days, with a reason.

A wish is an act: it has an author, is never changed, ends by itself after at most thirty days, and may be lifted
before. No wish exceeds the policy's nudge, nor do all of a coin's together. In the literature: judgemental adjustment
with limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lotus.decision.curators import Nudge
from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.names import is_name
from lotus.timebase import next_day

MOST_DAYS: Final = 30
MOST_REASON: Final = 400


@dataclass(frozen=True, slots=True)
class Wish:
    """One act on a branch, in force on the UTC days from `from_day` on and before `until_day`.

    `log` is the logarithm of the factor; `lifts` names an act that counts no more, and then `log` is 0.
    """

    act_id: str
    branch: str
    coin: str
    log: float
    author: str
    reason: str
    from_day: str
    until_day: str
    lifts: str = ""

    @property
    def nudge(self) -> Nudge:
        """What the curator hears."""
        return Nudge(self.author, self.coin, self.log, self.reason, self.act_id)

    def named(self) -> "Wish":
        """Return the act under its name, the hash of all that it says."""
        words = (self.branch, self.coin, self.log, self.author, self.reason, self.from_day, self.until_day, self.lifts)
        return Wish(natural_id("wish", *words), *words)


def check_wish(wish: Wish, coins: Sequence[str], bound: float) -> Wish:
    """Return a wish that may be heard; raises `ConfigError` with every reason against it.

    `coins` are those that can be traded, `bound` is the policy's nudge.
    """
    faults = []
    if not is_name(wish.author):
        faults.append(f"author {wish.author!r}: printable characters, no blanks around them")
    if not wish.reason.strip() or len(wish.reason) > MOST_REASON:
        faults.append(f"a reason of {len(wish.reason)} characters: 1 to {MOST_REASON}")
    if not wish.lifts and wish.coin not in coins:
        faults.append(f"coin {wish.coin}: one of {', '.join(sorted(coins))}")
    if not wish.lifts and not 0.0 < abs(wish.log) <= bound:
        faults.append(f"log {wish.log}: not 0, within -{bound:g} and {bound:g}")
    if not wish.lifts and not wish.from_day < wish.until_day <= next_day(wish.from_day, MOST_DAYS):
        faults.append(f"days {wish.from_day} to {wish.until_day}: 1 to {MOST_DAYS} of them")
    if faults:
        raise ConfigError("a wish with " + "; ".join(faults), "a wish within its bounds")
    return wish
