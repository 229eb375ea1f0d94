"""A line of the feed as the desk sees it: one market event, whatever pipeline decoded it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class LineSeen(Protocol):
    """What one line did: its kind (an `EventKind`, 0 for no event), asset and values, valid until the next line."""

    @property
    def kind(self) -> int:
        """An `EventKind`, 0 for a line that is no event."""

    @property
    def asset(self) -> int:
        """Position in the universe."""

    @property
    def payload(self) -> NDArray[np.int64]:
        """Values of the event, in the layout of `lotus.microtape.events`."""
