"""The check `live_parity`: what the daemon logged of a day against what is recomputed. It tells and blocks nothing."""

from lotus.detectors.daemon_log import Emitted
from lotus_assets.stages.context import CheckOutcome

CHECK = "live_parity"
NO_DAEMON = CheckOutcome(
    CHECK, True, "nothing was compared: no daemon ran at the venue (replays are compared by their own run)", unseen=True
)


def parity_check(emitted: Emitted) -> CheckOutcome:
    """Passes when every logged row is the recomputed one; windows that were never emitted are counted only."""
    names = ("logged", "equal", "not_emitted", "different", "only_in_the_log", "trials")
    numbers = {name: int(getattr(emitted, name)) for name in names}
    never = f"{emitted.not_emitted} windows never emitted"
    text = f"{emitted.equal} of {emitted.logged} logged rows equal bit for bit, {never}"
    if emitted.first:
        text = f"{emitted.logged - emitted.equal} logged rows differ and teach nothing; first: {emitted.first}; {text}"
    return CheckOutcome(CHECK, not emitted.first, text, numbers)
