"""Settled detectors in force by day in the sig database: batch, daemon and pages ask here who is scored on a day.

What a set means is `lotus.detectors.settled`; nothing is decided here.
"""

from lotus.detectors.registry import scored_detectors
from lotus.detectors.settled import DetectorSet, ever_settled, settled_on, with_settled
from lotus.detectors.spec import DetectorSpec
from lotus.errors import LedgerError
from lotus.manifest import Manifest
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query


def put_detector_set(connection: Connection, branch: str, one: DetectorSet) -> None:
    """Put a set in force, once; a later judgement for the same day stands beside the first and holds."""
    row = [branch, one.from_day, one.judged_day, one.version, to_body(list(one.texts))]
    connection.execute(query("sig", "put_detector_set"), row)


def read_detector_sets(connection: Connection, branch: str) -> list[DetectorSet]:
    """Return what was put in force on a branch, by its first day; of judgements for one day the newest.

    Raises `LedgerError` for a set that does not hash to its name.
    """
    found = []
    for from_day, judged_day, version, texts in connection.execute(query("sig", "detector_sets"), [branch]):
        one = DetectorSet(from_day, judged_day, tuple(texts))
        if one.version != version:
            raise LedgerError(f"detectors of {from_day} hash to {one.version}", version, "an altered row")
        found.append(one)
    return found


def detectors_on(connection: Connection, branch: str, day: str, manifest: Manifest) -> tuple[DetectorSpec, ...]:
    """Return the detectors that are scored on a day of a branch, in order of detector_id: their index everywhere."""
    settled = settled_on(day, read_detector_sets(connection, branch), manifest)
    return with_settled(scored_detectors(manifest), settled)


def detectors_ever(connection: Connection, branch: str, manifest: Manifest) -> tuple[DetectorSpec, ...]:
    """Return the detectors that are scored on a branch or were."""
    return with_settled(scored_detectors(manifest), ever_settled(read_detector_sets(connection, branch), manifest))
