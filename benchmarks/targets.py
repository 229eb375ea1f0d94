"""The targets by key: how a figure is judged. A key without a target is only reported."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.harness import Figure


@dataclass(frozen=True, slots=True)
class Target:
    """A bound: at least or at most `value`, plus the figure named `above` where it is relative to one."""

    at_least: bool
    value: float
    above: str = ""

    def met(self, value: float, figures: Mapping[str, Figure]) -> bool:
        """Tell whether a value reaches the bound."""
        bound = self.value + (figures[self.above].value if self.above in figures else 0.0)
        return value >= bound if self.at_least else value <= bound

    def __str__(self) -> str:
        """Return the bound as text."""
        sign = "≥" if self.at_least else "≤"
        bound = f"{self.value:,.0f}" if self.value >= 1_000 else f"{self.value:g}"
        return f"{sign} floor + {bound}" if self.above else f"{sign} {bound}"


_FLOOR = "live.wire_to_score_us.floor_p50"
HOT_KEYS = (
    "batch.everything.events_per_s",
    "batch.everything.frames_per_s",
    "batch.features_only.events_per_s",
    "parse.book_us",
    "live.wire_to_score_us.p50",
    "live.wire_to_score_us.p99",
    _FLOOR,
    "live.saturated_msgs_per_s",
    "startup_s",
)
TARGETS = {
    "batch.everything.events_per_s": Target(True, 1.5e6),
    "batch.everything.frames_per_s": Target(True, 0.6e6),
    "batch.features_only.events_per_s": Target(True, 1e7),
    "parse.book_us": Target(False, 2.0),
    "detectors.hundred_more_ratio": Target(False, 3.0),
    "live.wire_to_score_us.p50": Target(False, 10.0, _FLOOR),
    "live.wire_to_score_us.p99": Target(False, 150.0),
    "live.wire_to_score_us.asleep_p50": Target(False, 25.0, _FLOOR),
    "live.handler_us.p50": Target(False, 8.0),
    "live.saturated_msgs_per_s": Target(True, 150e3),
    "live.universe.cpu_percent": Target(False, 40.0),
    "live.universe.rss_mb": Target(False, 1_500.0),
    "live.universe.late_lines": Target(False, 0.0),
    "startup_s": Target(False, 1.0),
    "randomiser.draw_us": Target(False, 20.0),
}
