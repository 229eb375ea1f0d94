"""Scoring windows into rows of signal events.

References of the same run: hashing the rows' identities alone, which no way of scoring can leave out; and rows in which
two braids of every detector fire, with and without levels of trust.
"""

import hashlib
from functools import partial

from benchmarks.harness import Figure, Sizes, in_turn, rate
from benchmarks.material import BRANCH, Tape
from lotus.detectors.scoring.scorer import Scorer
from lotus.hashing import DIGEST_BYTES
from lotus.priors.types import ActiveBraid, Patch, PriorsVersion, Rule, priors_0, priors_version


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `scoring.rows_per_s` and `scoring.gated_rows_per_s`: rows of `signal_events` per CPU second."""
    windows = tape.windows
    rows = len(windows) * len(windows.detectors)

    def score(priors: PriorsVersion) -> None:
        scorer = Scorer(tape.manifest, tape.universe, windows.detectors, tape.tables, [priors], BRANCH)
        scorer.feed_all(windows)

    def braided(level: int) -> PriorsVersion:
        patch = Patch(-0.05, 1.02, (), 0.75)
        braids = (
            ActiveBraid(f"{d.detector_id}{k}", "micro", d.detector_id, d.horizon_s, Rule(), patch, level=level)
            for d in windows.detectors
            for k in range(2)
        )
        return priors_version(BRANCH, 0, tuple(braids))

    def identities() -> None:
        prefix = hashlib.blake2b(b"branch, detector, version, asset", digest_size=DIGEST_BYTES)
        for start in range(rows):
            one = prefix.copy()
            one.update(b"int:%d" % start)
            one.hexdigest()

    versions = [priors_0(BRANCH), braided(2), braided(0)]
    scored, gated, ungated, hashed = in_turn(sizes.repeats, *(partial(score, v) for v in versions), identities)
    note = f"{len(windows)} windows of {len(windows.detectors)} detectors"
    fired = f"{note}, two braids fire in each"
    return [
        rate("scoring.rows_per_s", "rows/s", rows, scored, "identity hashes alone", hashed, note),
        rate("scoring.gated_rows_per_s", "rows/s", rows, gated, "the same without levels", ungated, fired),
    ]
