"""The files whose code is behind the rows of the breeder's studies: what searches and judges, worlds and rules."""

from benchmarks.lessons.evidence import ROOT

SEARCH = (
    "bar", "breeding", "canonical", "genome", "grammar", "panel", "scoring", "selection", "signs", "survey",
    "variation",
)  # fmt: skip
SOURCES = (
    *(ROOT / "lotus" / "coprocessor" / f"{name}.py" for name in SEARCH),
    ROOT / "lotus" / "simulation" / "breeding_world.py",
    *(ROOT / "benchmarks" / "breeding" / f"{name}.py" for name in ("world_run", "peer_rules")),
)
