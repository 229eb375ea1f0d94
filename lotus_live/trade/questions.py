"""Questions to a venue that are open: one that is repeated faster than it is answered is not asked again.

Orders whose fate is unknown are asked for every half second. A venue that is slower than that, or a busy machine, would
otherwise be buried under the desk's questions and never catch up. (Literature: retry storm, single flight.)
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST = 2  # about one subject at a time: the second may overtake an answer that hangs


@dataclass(slots=True)
class OpenQuestions:
    """How often each subject is being asked about."""

    _open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def about(self, subject: str) -> Iterator[bool]:
        """Count a question while it is open; tell whether it may be asked."""
        self._open[subject] += 1
        try:
            yield self._open[subject] <= MOST
        finally:
            self._open[subject] -= 1
            if not self._open[subject]:
                del self._open[subject]
