"""A version that comes late takes effect at the first window that nobody scored: one rule for ledger and daemon.

A version is late when windows of its time were scored under another one. Nothing is scored again, so it is issued anew
with the later time and the same braids; its name, a hash of its content, is another one then. Who scored what is found
by the callers.
"""

from lotus.priors.types import PriorsVersion, priors_version


def postponed(version: PriorsVersion, scored_until_ms: int, window_ms: int) -> PriorsVersion:
    """Return the version in force from the first window end after `scored_until_ms` on; itself when it is not late.

    >>> from lotus.priors.types import priors_version
    >>> made = priors_version("main", 7_200_000)
    >>> postponed(made, 7_199_999, 5_000) is made, postponed(made, 7_501_000, 5_000).effective_from_ms
    (True, 7505000)
    """
    if version.effective_from_ms > scored_until_ms:
        return version
    first_ms = (scored_until_ms // window_ms + 1) * window_ms
    return priors_version(version.branch, first_ms, version.braids)
