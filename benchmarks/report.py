"""What a run says: plain values for programs, one Markdown table for people, and what machine it ran on."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

from benchmarks.harness import Figure
from benchmarks.targets import HOT_KEYS, TARGETS

BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by tape (`simulated` figures have plain keys), what was skipped and why, and the machine."""

    simulated: tuple[Figure, ...]
    recorded: tuple[Figure, ...]
    skipped: dict[str, str]
    machine: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the hot path's figures under their keys, then all figures with reference and verdict by key.

        `recorded.` stands before the keys of the recording.
        """
        named = [(f.key, f) for f in self.simulated] + [(f"recorded.{f.key}", f) for f in self.recorded]
        out: dict[str, Any] = {f.key: f.value for f in self.simulated if f.key in HOT_KEYS}
        details = {key: asdict(f) | {"ratio": f.ratio} | self._judged(key, f) for key, f in named}
        return out | {"details": details, "skipped": self.skipped, "machine": self.machine}

    def as_markdown(self) -> str:
        """Return the table, the machine and what was skipped."""
        lines = [f"Machine: {', '.join(f'{name} {value}' for name, value in self.machine.items())}.", ""]
        for title, figures in (("Simulated session", self.simulated), ("Recording of 2025-09-04", self.recorded)):
            if figures:
                lines += [f"**{title}**", "", *_table(figures), ""]
        lines += [f"Skipped: {name}: {why}." for name, why in self.skipped.items()]
        return "\n".join(lines).rstrip() + "\n"

    def _judged(self, key: str, figure: Figure) -> dict[str, Any]:
        target = TARGETS.get(figure.key)
        if target is None:
            return {}
        figures = {f.key: f for f in (self.recorded if key.startswith("recorded.") else self.simulated)}
        return {"target": str(target), "met": target.met(figure.value, figures)}


def machine(load_before: Sequence[float]) -> dict[str, str]:
    """Describe the machine; the load average of the last minute before and after tells how shared it was."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load": f"{load_before[0]:.1f} before, {os.getloadavg()[0]:.1f} after",
        "python": platform.python_version(),
        "numba": numba.__version__,
        "numpy": np.__version__,
    }


def write_into(page: Path, text: str) -> None:
    """Put a table between the two marks of a page."""
    head, _, rest = page.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}")


def _table(figures: Sequence[Figure]) -> list[str]:
    by_key = {f.key: f for f in figures}
    rows = [
        "| figure | measured | target | | reference of the same run | ratio | note |",
        "|---|---|---|---|---|---|---|",
    ]
    for f in figures:
        reference = f"{f.reference}: {number(f.reference_value)}" if f.reference else ""
        ratio = f"× {f.ratio:.2f}" if f.reference else ""
        rows.append(
            f"| `{f.key}` | {number(f.value)} {f.unit} | {TARGETS.get(f.key, '')} | {_verdict(f, by_key)} "
            f"| {reference} | {ratio} | {f.note} |"
        )
    return rows


def _verdict(figure: Figure, figures: Mapping[str, Figure]) -> str:
    target = TARGETS.get(figure.key)
    if target is None:
        return ""
    return "met" if target.met(figure.value, figures) else "**below target**"


def number(value: float) -> str:
    """Return a value with three or four digits that mean something."""
    if value >= 1_000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
