"""The lists of vetoes at once that control records of a tape put in force, by day: documents of the lake.

The stage that decodes a day writes them, where there are any, so that stages that score it need not read the tape. A
day's lists are those of its lines and of the evening in which its state is born; whoever is running repeats them there.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from lotus.curation.at_once import VetoList
from lotus.errors import LakeError
from lotus_store.lake import DAMAGED, Lake

_DOCUMENT: Final = "tape_vetoes"


def write_veto_lists(lake: Lake, tape_branch: str, day: str, lists: Sequence[VetoList]) -> None:
    """Write the lists of a day; nothing is written for a day that has and had none."""
    if lists or lake.has_document(_DOCUMENT, tape_branch, day):
        lake.write_document(_DOCUMENT, tape_branch, day, msgspec.json.encode(list(lists)).decode())


def read_veto_lists(lake: Lake, tape_branch: str, day: str) -> list[VetoList]:
    """Return the lists of a day in their order; raises `LakeError` when they cannot be read."""
    if not lake.has_document(_DOCUMENT, tape_branch, day):
        return []
    try:
        return msgspec.json.decode(lake.read_document(_DOCUMENT, tape_branch, day), type=list[VetoList])
    except msgspec.DecodeError as problem:
        place = f"{_DOCUMENT}/branch={tape_branch}/day={day}/document.json of the lake"
        raise LakeError(f"{place} cannot be read: {problem}", "the lists that were written", DAMAGED) from problem
