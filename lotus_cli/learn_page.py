"""The report of `lotus learn`: one HTML file with its pictures inside, readable without any network, and the JSON.

Words and pictures only; every number comes from the facts or the study. No profit is claimed anywhere.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.errors import ConfigError
from lotus.learning.lesson import Lesson
from lotus.own_signals.study import Study
from lotus.own_signals.words import looks
from lotus.pictures.canvas import svg
from lotus.pictures.curves import calibration_curve, life
from lotus.pictures.forest import ForestRow, forest
from lotus.pictures.heat import heat
from lotus.priors.vocabulary import describe_rule
from lotus_cli.output import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Facts = Mapping[str, Any]
_CURVES = 8
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1b1b1b;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid #ddd}
table{border-collapse:collapse;width:100%;font-size:.85rem;margin:.6rem 0}
td,th{border-bottom:1px solid #e3e3e3;padding:.3rem .5rem;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto}figure{margin:1rem 0}.verdict{background:#f2f5f8;padding:.8rem 1rem}
.quiet{color:#555;font-size:.9rem}
"""
_READING = """
<p><b>Uplift</b> is what the signal earned inside a rule beyond what its own propensity already knew, net of cost, in
basis points per unit. The line is its 95 % interval for this one rule; the tick is the <b>bound</b> that still holds
after searching through all the rules. Trust the bound, not the middle: what is found by searching looks better than it
is.</p>
<p><b>Bins</b> count from 0, the lowest, to the highest, against the seven days before, per asset. <b>Evidence</b> is in
nats after paying for the number of rules of its length; a lesson must exceed the bar that chance alone reaches in at
most 4 of 100 such searches. <b>n_eff</b> counts independent days, not rows: prices move together, so a million rows of
ten days are about ten days.</p>
<p><b>Grades</b>: A real fills, B executed on paper or a simulator, C only modelled payoffs or no random draw (propose
an experiment), D no propensity was logged (an association). <b>Refused</b> is a result: it says which number was
missing.</p>
<p>A lesson says that publishing more or less in a corner would have changed the mean payoff of these days. It does not
say that there is money in it: markets answer, costs grow with size, and what was true may end. One set of files is one
look; running again with other features until something passes is many, and the 4 % no longer hold.</p>
"""


def write_report(out: Path, study: Study, facts: Facts) -> Path:
    """Write report.html and result.json into a folder and return the path of the page; raises `ConfigError`."""
    path = out / "report.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "result.json").write_text(json.dumps(plain(facts), allow_nan=False, indent=1) + "\n", "utf-8")
        path.write_text(page(study, facts), "utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}", "a folder that can be written to") from None
    return path


def page(study: Study, facts: Facts) -> str:
    """Return the report as one HTML text."""
    parts = [
        _verdict(facts),
        "<h2>Lessons and refusals</h2>",
        *_forest(study),
        _lessons(facts["lessons"]),
        _horizons(facts["lessons"]),
        "<h3>Refused, and why</h3>",
        _refused(facts["refused"]),
        "<h2>How to read this</h2>",
        _READING,
        "<h2>Life of the candidates</h2>",
        "<p class='quiet'>Each point uses only the days up to it. A real effect narrows around a value, its evidence "
        "climbs; luck wanders back. Dashed: the bar of the look. "
        "E, where nights are replayed, uses the days after a lesson was found: at 20 it is taken for dead.</p>",
        *(_picture(life(line, study.critical)) for line in study.lives),
        "<h2>Where it pays and where not</h2>",
        *(_picture(heat(found)) for found in study.maps),
        "<h2>Is the log honest?</h2>",
        *_calibrations(study),
        _audits(facts["audits"]),
        "<h2>What this sample could have shown</h2>",
        _detectable(facts["detectable"]),
        "<h2>What a table of hit rates would have said</h2>",
        _naive(facts["naive"]),
        "<h2>Detectors and features</h2>",
        _inputs(facts),
    ]
    head = f"<meta charset='utf-8'><title>Lotus: own signals</title><style>{_STYLE}</style>"
    body = "\n".join(parts)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head><body>\n<h1>Own signals</h1>\n{body}\n</body></html>\n"


def _verdict(f: Facts) -> str:
    n, days = len(f["lessons"]), f["days"]
    found = (
        f"{n} lesson{'s' if n > 1 else ''} passed."
        if n
        else "No lesson passed: nothing beats what chance alone finds among as many rules. That is a result."
    )
    bar = f["look"]["critical_nats"]
    needed = f"{bar:.2f} nats" if bar < float("inf") else "out of reach"
    return (
        f"<p class='verdict'><b>{found}</b> {f['trials']:,} rules tried over {days['count']} days ({days['first']} to "
        f"{days['last']}); {escape(looks(f['look']))}; evidence needed: {needed}. Grades and reasons are below.</p>"
    )


def _forest(study: Study) -> list[str]:
    words = study.vocabulary

    def row(x: Lesson, note: str) -> ForestRow:
        label = f"{x.detector_id}: {describe_rule(x.rule, words)}"
        bound = max(x.lcb_bps, 0.0) if x.accepted else 0.0
        return ForestRow(label, x.uplift_bps, *x.ci95, bound, x.accepted, note)

    rows = [row(f.lesson, f"grade {f.lesson.grade}") for f in study.findings]
    rows += [row(x, f"grade {x.grade}" if x.grade != "none" else "refused") for x in study.refused]
    rows += [row(x, "grade D") for x in study.associations]
    return [_picture(forest(rows))] if rows else ["<p>Nothing could be searched; the reasons are below.</p>"]


def _calibrations(study: Study) -> list[str]:
    """Return the curves of the detectors furthest from the diagonal, by the audit's z."""
    z = {a.detector_id: abs(a.calibration_z) for a in study.audits}
    shown = sorted(study.calibrations, key=lambda c: (-z.get(c.detector_id, 0.0), c.detector_id))[:_CURVES]
    note = f"<p class='quiet'>The {_CURVES} furthest of {len(study.calibrations)} detectors.</p>"
    return [note] * (len(study.calibrations) > _CURVES) + [_picture(calibration_curve(curve)) for curve in shown]


def _picture(figure: "Figure") -> str:
    return f"<figure>{svg(figure)}</figure>"


def _lessons(rows: Sequence[Facts]) -> str:
    head = ("detector", "rule", "uplift, bps", "95 %", "bound", "net here", "grade", "support", "advice")
    cells = [
        (
            x["detector_id"],
            x["rule"] + _ties(x["near_ties"]),
            f"{x['uplift_bps']:+.2f}",
            f"{x['ci95'][0]:+.2f} to {x['ci95'][1]:+.2f}",
            f"{x['lcb_bps']:.2f}",
            f"{x['net_mean_bps']:+.2f}",
            x["grade"],
            f"{x['support']['published']:,} published, {x['support']['days']} days, n_eff {x['n_eff']:.1f}, "
            f"{x['evidence_nats']:.1f} nats{_since(x)}",
            x["advice"],
        )
        for x in rows
    ]
    return _table(head, cells, numbers=(2, 3, 4, 5)) if cells else ""


def _horizons(rows: Sequence[Facts]) -> str:
    cells = [
        (
            x["rule"],
            f"{h['horizon_s']} s",
            f"{h['windows']:,}",
            f"{h['mean_bps']:+.2f} ({h['ci95'][0]:+.2f} to {h['ci95'][1]:+.2f})",
            f"{h['hit_rate']:.1%}",
            f"{h['mean_outside_bps']:+.2f}",
        )
        for x in rows
        for h in x["horizons"]
    ]
    head = ("rule", "horizon", "published", "mean payoff, bps (95 %)", "above zero", "mean outside")
    note = "<p class='quiet'>Net payoffs of what was published in the rule, by horizon: described, not searched.</p>"
    return note + _table(head, cells, numbers=(1, 2, 3, 4, 5)) if cells else ""


def _since(x: Facts) -> str:
    return (
        f"; now {x['now']}, e-value {x['e_value']:.2f} on {x['days_watched']} later days" if x["days_watched"] else ""
    )


def _ties(ties: Sequence[Facts]) -> str:
    return f" (as good a name: {'; '.join(n['rule'] for n in ties[:3])})" if ties else ""


def _refused(rows: Sequence[Facts]) -> str:
    cells = [
        (
            x["detector_id"],
            x["rule"] or "all rules",
            f"{x['uplift_bps']:+.2f}" if x["rule"] else "",
            x["grade"] if x["grade"] != "none" else "",
            x["reason"],
        )
        for x in rows
    ]
    if not cells:
        return "<p>Nothing came near.</p>"
    return _table(("detector", "rule", "uplift, bps", "grade", "the number that failed"), cells, numbers=(2,))


def _audits(rows: Sequence[Facts]) -> str:
    if not rows:
        return "<p>No propensity was logged, so nothing could be audited: log the probability of every draw.</p>"
    cells = [
        (
            a["detector_id"],
            f"{a['calibration_z']:+.1f}",
            a["placebo_note"] or f"{a['placebo_z']:+.1f}",
            f"{a['dispersion_z']:+.1f}",
            f"alarm: {a['reason']}" if a["alarm"] else "clean",
        )
        for a in rows
    ]
    head = ("detector", "calibration z", "placebo z", "dispersion z", "verdict over the last 20 days")
    return _table(head, cells, numbers=(1, 2, 3))


def _detectable(rows: Sequence[Facts]) -> str:
    if not rows:
        return "<p>Nothing: no draw had 0 &lt; p &lt; 1.</p>"
    cells = [
        (d["detector_id"], n, *("out of reach" if v is None else f"{v:.2f}" for v in values))
        for d in rows
        for n, values in d["uplift_bps"].items()
    ]
    head = ("detector", "literals", *(f"covers {c:.0%}" for c in rows[0]["coverage"]))
    note = (
        "<p class='quiet'>Smallest uplift, bps, that would be found in 80 % of such samples. Four times the days see "
    )
    return note + "half as small an effect.</p>" + _table(head, cells, numbers=(2, 3, 4))


def _naive(rows: Sequence[Facts]) -> str:
    cells = [
        (x["detector_id"], x["rule"], f"{x['hit_rate']:.1%}", f"{x['hit_rate_outside']:.1%}", f"{x['z']:+.1f}")
        for x in rows
    ]
    if not cells:
        return "<p>No condition has enough published windows.</p>"
    note = (
        "<p class='quiet'>The best conditions by difference of hit rates, windows taken as independent, the search not "
        "paid for. Most desks would trade the first line; in pure noise this table looks as good.</p>"
    )
    return note + _table(("detector", "condition", "hits inside", "outside", "naive z"), cells, numbers=(2, 3, 4))


def _inputs(f: Facts) -> str:
    detectors = _table(
        ("detector", "horizon", "windows", "published", "score"),
        [
            (d["detector_id"], f"{d['horizon_s']} s", f"{d['rows']:,}", f"{d['published']:,}", d["meaning"])
            for d in f["detectors"]
        ],
        numbers=(1, 2, 3),
    )
    features = _table(
        ("feature", "bins", "literals", "categories"),
        [(x["name"], str(x["bins"]), x["literals"], ", ".join(x["categories"])) for x in f["features"]],
        numbers=(1,),
    )
    counts = ", ".join(f"{n:,} of {k}" for k, n in enumerate(f["look"]["rules_possible"], 1))
    cost = f"<p class='quiet'>Cost subtracted from every payoff: {f['cost_bps']:g} bps. Possible rules by length: "
    seed = f"Files: {', '.join(f['files'])}; seed {f['look']['seed']}, {f['look']['draws']} sign draws."
    return detectors + features + cost + f"{counts} literals. {escape(seed)}</p>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if k in numbers else ''}>{escape(cell)}</{tag}>" for k, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in rows)
    return f"<table><tr>{line(head, 'th')}</tr>{body}</table>"
