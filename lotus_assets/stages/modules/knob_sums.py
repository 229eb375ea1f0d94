"""Sums of a knob lane's days, kept in the learner's state of the home under the hash of what they were made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lotus.hashing import natural_id
from lotus.learning.day_cube import DayCube, packed, unpacked
from lotus_assets.code_version import code_version
from lotus_store.learner_state import SUMS, WITHOUT_PAPER, LearnerState


@dataclass(frozen=True, slots=True)
class StoredSums:
    """Where sums of a lane's days are kept; `contents` are the content hashes of the days' evidence."""

    state: LearnerState
    contents: Mapping[str, str]

    def sums(self, day: str, owner: str, key: str, paper: bool, make: Callable[[], DayCube]) -> DayCube:
        """Return the sums of a day, mapped from disk, or made and stored."""
        kind = SUMS if paper else WITHOUT_PAPER
        name = natural_id(self.contents[day], owner, key, code_version("learning"))
        held = self.state.read(day, owner, name, kind)
        if held is not None:
            return unpacked(*held)
        cube = make()
        self.state.write(day, owner, name, *packed(cube), kind)
        return cube
