"""The report of own signals: one HTML file with its pictures inside, readable without any network, and the JSON.

Order and pictures only; tables are `tables`, fixed sentences `page_text`, and every number comes from the
facts or the study. No profit is claimed anywhere.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.errors import ConfigError
from lotus.own_signals.report.estimates import estimated
from lotus.own_signals.report.words import NOT_TRIED, looks
from lotus.own_signals.study import Study
from lotus.pictures.canvas import svg
from lotus.pictures.curves import calibration_curve, life
from lotus.pictures.forest import forest
from lotus.pictures.heat import heat
from lotus_lab.report import tables
from lotus_lab.report.page_text import CALIBRATION, FOREST, LEAD, LIVES, MAPS, READING, STYLE
from lotus_lab.report.pictures import forest_rows
from lotus_store.json_values import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Facts = Mapping[str, Any]
_CURVES = 8


def write_report(out: Path, study: Study, facts: Facts) -> Path:
    """Write report.html and result.json into a folder, whole or not at all, and return the path of the page.

    Raises `ConfigError` when the folder cannot be written to.
    """
    texts = {
        "result.json": json.dumps(plain(facts), allow_nan=False, indent=1) + "\n",
        "report.html": page(study, facts),
    }
    write_texts(out, texts)
    return out / "report.html"


def write_texts(out: Path, texts: Mapping[str, str]) -> None:
    """Write texts by name into a folder, each whole or not at all; raises `ConfigError` when that is refused."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (out / f".{name}.part").write_text(text, "utf-8")
        for name in texts:
            (out / f".{name}.part").replace(out / name)
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}", "a folder that can be written to") from None


def page(study: Study, facts: Facts) -> str:
    """Return the report as one HTML text."""
    parts = [
        verdict(facts),
        LEAD,
        "<h2>Lessons and refusals</h2>",
        _forest(study),
        tables.lessons(facts["lessons"]),
        f"<p>{escape(estimated(facts['lessons']))}</p>" if facts["lessons"] else "",
        tables.parts(facts["lessons"]),
        tables.in_values([*facts["lessons"], *facts["proposals"]]),
        tables.horizons(facts["lessons"]),
        tables.proposals(facts["proposals"]),
        tables.refused(facts["refused"]),
        "<h2>How to read this</h2>",
        READING,
        "<h2>Life of the candidates</h2>",
        f"<p class=quiet>{LIVES}</p>",
        _pictures((life(line, study.critical.day), f"Life of {line.title}, by day.") for line in study.lives),
        "<h2>Where it pays and where not</h2>",
        f"<p class=quiet>{MAPS}</p>",
        _pictures((heat(cells), f"Uplift by bin: {cells.title}.") for cells in study.maps),
        "<h2>Is the log honest?</h2>",
        *_calibrations(study),
        tables.audits(facts["audits"]),
        "<h2>What this sample could have shown</h2>",
        tables.detectable(facts["detectable"]),
        "<h2>What a table of hit rates would have said</h2>",
        tables.naive(facts["naive"]),
        "<h2>Detectors and features</h2>",
        tables.inputs(facts),
    ]
    head = (
        "<meta charset='utf-8'><meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Lotus: own signals</title><style>{STYLE}</style>"
    )
    body = "\n".join(parts)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head><body>\n<h1>Own signals</h1>\n{body}\n</body></html>\n"


def verdict(f: Facts) -> str:
    """Return in one paragraph what passed, over how many rules and days, and what was needed."""
    n, proposed, days = len(f["lessons"]), len(f["proposals"]), f["days"]
    words = (
        f"{n} lesson{'s' if n > 1 else ''} passed."
        if n
        else "No lesson passed: nothing beats what chance alone finds among as many rules. That is a result."
        if f["trials"]
        else f"No lesson passed. {NOT_TRIED}"
    )
    more = f" {proposed} proposal{'s' if proposed > 1 else ''} for an experiment." if proposed else ""
    bar = f["look"]["critical_nats"]
    needed = f"{bar:.2f} nats" if bar < float("inf") else "out of reach"
    return (
        f"<p class=verdict><b>{words}</b>{more} {f['trials']:,} rules tried over {days['count']} days "
        f"({days['first']} to {days['last']}); {escape(looks(f['look']))}; evidence needed: {needed}. "
        "Grades and reasons are below.</p>"
    )


def _forest(study: Study) -> str:
    rows = forest_rows(study)
    if not rows:
        return "<p>Nothing could be searched; the reasons are below.</p>"
    return _pictures([(forest(rows), FOREST)])


def _calibrations(study: Study) -> list[str]:
    """Return the curves of the detectors furthest from the diagonal, by the audit's z."""
    z = {a.detector_id: abs(a.calibration_z) for a in study.audits}
    shown = sorted(study.calibrations, key=lambda c: (-z.get(c.detector_id, 0.0), c.detector_id))[:_CURVES]
    note = f"<p class=quiet>The {_CURVES} furthest of {len(study.calibrations)} detectors.</p>"
    curves = _pictures((calibration_curve(c), f"{c.detector_id}. {CALIBRATION}") for c in shown)
    return [*([note] if len(study.calibrations) > _CURVES else []), curves]


def _pictures(figures: "Iterable[tuple[Figure, str]]") -> str:
    """Return figures beside each other where there is room, each with its caption."""
    parts = []
    for figure, caption in figures:
        drawn = svg(figure).replace("<svg ", f'<svg role="img" aria-label="{escape(caption, quote=True)}" ', 1)
        parts.append(f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>")
    return f"<div class=pictures>{''.join(parts)}</div>" if parts else ""
