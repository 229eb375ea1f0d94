"""Scoring windows into rows of signal events.

Reference of the same run: hashing the rows' identities alone, which no way of scoring can leave out.
"""

import hashlib

from benchmarks.harness import Figure, Sizes, in_turn, rate
from benchmarks.material import BRANCH, Tape
from lotus.detectors.scoring.scorer import Scorer
from lotus.hashing import DIGEST_BYTES
from lotus.priors.types import priors_0


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `scoring.rows_per_s`: rows of `signal_events` per CPU second."""
    windows = tape.windows
    rows = len(windows) * len(windows.detectors)

    def score() -> None:
        scorer = Scorer(tape.manifest, tape.universe, windows.detectors, tape.tables, [priors_0(BRANCH)], BRANCH)
        scorer.feed_all(windows)

    def identities() -> None:
        prefix = hashlib.blake2b(b"branch, detector, version, asset", digest_size=DIGEST_BYTES)
        for start in range(rows):
            one = prefix.copy()
            one.update(b"int:%d" % start)
            one.hexdigest()

    scored, hashed = in_turn(sizes.repeats, score, identities)
    note = f"{len(windows)} windows of {len(windows.detectors)} detectors"
    return [rate("scoring.rows_per_s", "rows/s", rows, scored, "identity hashes alone", hashed, note)]
