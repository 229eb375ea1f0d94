"""How far a long piece of work has come: reported by the worker, shown by the command line.

Only counts are reported, never times: nothing here has a clock. What is shown of them is the command line's.
"""

from typing import Protocol


class Steps(Protocol):
    """Hears of a piece of work again and again, until all of it is done or another one begins."""

    def __call__(self, work: str, done: float | None = None, total: float = 0.0, at: str = "") -> None:
        """Hear that `done` of `total` units are done and what is at hand; without `done`, hear a sentence.

        `work` names the work and its unit ("days learned"). A total of 0 is one that nobody knows, of 1 a share.
        """


def untold(work: str, done: float | None = None, total: float = 0.0, at: str = "") -> None:
    """Hear of the work and show nothing."""
