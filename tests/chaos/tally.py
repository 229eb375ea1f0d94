"""What the kills hit and what the finished runs were compared to: counts, differences and the table for people."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Tally:
    """Counts of one subject (the backfill or the daemon)."""

    subject: str
    kills: int = 0
    attempts: int = 0
    finished: int = 0
    equal: int = 0
    server_only: int = 0
    gave_up: int = 0
    by_target: Counter[str] = field(default_factory=Counter)
    by_phase: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def hit(self, target: str, phase: str, counts: bool) -> None:
        """Count a kill; one that does not count (of the server alone, beside others) is counted apart."""
        self.by_target[target] += 1
        self.by_phase[phase] += 1
        self.kills += counts
        self.server_only += not counts

    def compare(self, name: str, reference: dict[str, Any], found: dict[str, Any]) -> None:
        """Count a finished run and note where it differs from the undisturbed one."""
        self.finished += 1
        wrong = differences(name, reference, found)
        for text in wrong:
            print(f"DIFFERENT {text}", file=sys.stderr, flush=True)
        self.equal += not wrong
        self.differences += wrong

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON-able values."""
        return {
            "kills": self.kills,
            "server_only": self.server_only,
            "attempts": self.attempts,
            "gave_up_with_an_error": self.gave_up,
            "finished": self.finished,
            "equal": self.equal,
            "by_target": dict(self.by_target.most_common()),
            "by_phase": dict(self.by_phase.most_common()),
            "differences": self.differences[:20],
        }

    def as_text(self) -> str:
        """Return the table for people."""
        head = (
            f"{self.subject}: {self.kills} kills in {self.attempts} attempts"
            f" (and {self.server_only} of the server beside them)"
        )
        ends = f"  finished {self.finished}, equal {self.equal}, different {self.finished - self.equal}"
        lines = [head, ends, *_table("killed", self.by_target), *_table("hit in", self.by_phase)]
        return "\n".join([*lines, *(f"  DIFFERENT {text}" for text in self.differences[:20])])


def differences(path: str, reference: Any, found: Any) -> list[str]:
    """Return where two trees of plain values differ."""
    if isinstance(reference, dict) and isinstance(found, dict):
        keys = sorted(set(reference) | set(found))
        return [text for key in keys for text in differences(f"{path}.{key}", reference.get(key), found.get(key))]
    return [] if reference == found else [f"{path}: {str(found)[:300]} instead of {str(reference)[:300]}"]


def _table(title: str, counts: Counter[str]) -> list[str]:
    return [
        f"  {title:<8} {name:<36} {n:>4}" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
