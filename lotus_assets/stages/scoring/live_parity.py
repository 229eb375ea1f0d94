"""The check `live_parity`: what the daemon logged of a day against what is recomputed. It tells and blocks nothing."""

from lotus.detectors.daemon_log import Emitted
from lotus_assets.stages.context import CheckOutcome

CHECK = "live_parity"
NO_DAEMON = CheckOutcome(
    CHECK, True, "nothing was compared: no daemon ran at the venue (replays are compared by their own run)", unseen=True
)


def parity_check(found: Emitted) -> CheckOutcome:
    """Passes when every logged row is the recomputed one; windows that were never emitted are counted only."""
    names = ("logged", "equal", "not_emitted", "different", "only_in_the_log", "trials")
    numbers = {name: int(getattr(found, name)) for name in names}
    text = f"{found.equal} of {found.logged} logged rows equal bit for bit, {found.not_emitted} windows never emitted"
    if found.first:
        text = f"{found.logged - found.equal} logged rows differ and teach nothing; first: {found.first}; {text}"
    return CheckOutcome(CHECK, not found.first, text, numbers)
