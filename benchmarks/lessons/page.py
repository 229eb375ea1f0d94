"""The page of evidence: every claim with its figures, as the rows in `docs/evidence` say, put between its marks.

`python -m benchmarks.lessons.page [--write]`. Nothing is run here.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.breeding import recovery
from benchmarks.governance import (
    asymmetry_refit,
    compute_by_lot,
    curators,
    drift_alarms,
    explorers,
    ladders,
    outsiders,
    what_ifs,
)
from benchmarks.lessons import (
    ablation,
    audits,
    compositions,
    drift,
    experiments,
    hostile,
    laws,
    market,
    meta_nights,
    ordinal,
    peers,
    production,
    sentinel,
    style_lives,
    styles,
    table,
    trust,
    year,
)
from benchmarks.lessons.claims import Claim, Result, judge
from benchmarks.lessons.claims import table as as_table
from benchmarks.lessons.evidence import FOLDER, ROOT, SHARED, Study, best_rows
from benchmarks.report import write_into
from lotus.errors import ConfigError

PAGE = ROOT / "docs" / "evidence.md"
SECTIONS = (
    ("One look, one detector", table),
    ("Hostile logs, one detector", hostile),
    ("The simulated market with nothing planted", market),
    ("Laws and time", laws),
    ("The sentinel", sentinel),
    ("Audits", audits),
    ("Production settings", production),
    ("A year of nightly looks", year),
    ("A lesson that dies", drift),
    ("Compositions under nightly slots", meta_nights),
    ("Compositions across modules", compositions),
    ("Styles of entry in which nothing pays", styles),
    ("A style that pays in a context, and dies", style_lives),
    ("Lessons on and off", ablation),
    ("Earned trust", trust),
    ("Experiments on proposals", experiments),
    ("Labels in place of numbers", ordinal),
    ("Peers in the same worlds", peers),
    ("Monitors of drift", drift_alarms),
    ("What-ifs", what_ifs),
    ("The explorer", explorers),
    ("The ladder", ladders),
    ("Where an assumption of governance does not hold", outsiders),
    ("Curators", curators),
    ("Compute by lot, and credit", compute_by_lot),
    ("Fitted weights of asymmetry", asymmetry_refit),
    ("The breeder", recovery),
)
STUDIES: dict[str, Study] = {name: study for _, module in SECTIONS for name, study in module.STUDIES.items()}


def study_named(name: str, small: bool) -> Study:
    """Return a study by its name, on small worlds or not; workers of a fleet look it up here.

    Raises `ConfigError` for a name that no study has.
    """
    if name not in STUDIES:
        raise ConfigError(f"no study {name!r}", "a name of docs/evidence", "this checkout is of another commit")
    return STUDIES[name].shrunk() if small else STUDIES[name]


def sections(folder: Path = FOLDER) -> list[tuple[str, list[Result]]]:
    """Return title and results of each section; claims without a single row are left for `not_run`."""
    out = []
    for title, module in SECTIONS:
        claims: Sequence[Claim] = module.CLAIMS
        results = [judge(c, STUDIES[c.study], folder) for c in claims]
        out.append((title, results))
    return out


def text(folder: Path = FOLDER) -> str:
    """Return the tables, which studies have no row yet, and which rows another code than the present one made."""
    lines = []
    agreeing, untried, missing = set(), set(), set()
    for title, results in sections(folder):
        run = [r for r in results if r.worlds]
        missing |= {r.study for r in results if not r.worlds}
        agreeing |= {f"`{r.study}` ({r.worlds - r.present} of {r.worlds})" for r in run if 0 < r.present < r.worlds}
        untried |= {f"`{r.study}`" for r in run if not r.present}
        if run:
            lines += [f"## {title}", "", as_table(run), "", *(BELOW[title](folder) if title in BELOW else [])]
    if missing:
        lines += [f"Without a row: {', '.join(f'`{name}`' for name in sorted(missing))}.", ""]
    if agreeing:
        told = (
            f"Worlds of an earlier code; the present code made {SHARED} or more of each study again, with equal figures"
        )
        lines += [f"{told}: {', '.join(sorted(agreeing))}.", ""]
    if untried:
        lines += [f"Of an earlier code, and not tried again: {', '.join(sorted(untried))}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _loads(folder: Path) -> list[str]:
    """Return seconds and memory of the peers, medians over their rows."""
    lines = []
    for name, study in peers.STUDIES.items():
        rows = best_rows(study, folder)
        if rows:
            seconds, peak = (median(float(row[column]) for row in rows) for column in ("cpu_s", "peak_mb"))
            lines.append(f"| `{name}` | {seconds:.2f} s | {peak:.0f} MB |")
    head = ["| method | CPU time a world | peak memory of the process |", "|---|---|---|"]
    return [*head, *lines, ""] if lines else []


BELOW: dict[str, Callable[[Path], list[str]]] = {
    "Peers in the same worlds": _loads,
    "A lesson that dies": drift.lines,
    "Compositions across modules": compositions.lines,
    "A style that pays in a context, and dies": style_lives.lines,
    "Lessons on and off": ablation.lines,
    "Earned trust": trust.lines,
    "Experiments on proposals": experiments.lines,
    "Monitors of drift": drift_alarms.lines,
    "The explorer": explorers.lines,
}  # figures that are no shares, under the table of a section


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page's tables, and write them with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    tables = text()
    if options.write:
        write_into(PAGE, tables)
    print(tables)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
