"""The tables of the report of own signals, as HTML; columns say their unit. Pictures and order are `page`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from lotus.own_signals.report.reading_words import feature_words, literal_words
from lotus_lab.report.page_text import DETECTABLE, HORIZONS, IN_VALUES, MISSING, NAIVE, PROPOSALS

Facts = Mapping[str, Any]
_RULES = ("rule", "condition", "as good a name")
_OPTIONAL = {"mfe_bps": "mfe_bps", "mae_bps": "mae_bps", "brier": "p_hit"}


def lessons(rows: Sequence[Facts]) -> str:
    """Return the table of accepted lessons, empty without any."""
    head = (
        "detector", "rule", "uplift, bps", "95 %, bps", "bound, bps", "inside less outside, bps",
        "net payoff here, bps", "grade", "support", "advice",
    )  # fmt: skip
    cells = [
        (
            x["detector_id"],
            x["rule"],
            f"{x['uplift_bps']:+.2f}",
            _interval(x["ci95"]),
            f"{x['bound_bps']:+.2f}",
            f"{x['contrast_bps']:+.2f}",
            f"{x['net_mean_bps']:+.2f}",
            x["grade"],
            f"{x['support']['published']:,} published in {x['support']['days']} days, n_eff {x['n_eff']:.1f} days, "
            f"{x['evidence_nats']:.1f} nats{_since(x)}",
            "; ".join((x["advice"], *x["warnings"])),
        )
        for x in rows
    ]
    return table("Accepted lessons.", head, cells, (2, 3, 4, 5, 6)) if cells else ""


def parts(rows: Sequence[Facts]) -> str:
    """Return the lessons by lane and part, with the rules that are as good a name; empty without any."""
    cells = [
        (
            x["detector_id"],
            x["rule"],
            "; ".join(f"{lane['lane']} {lane['uplift_bps']:+.2f}" for lane in x["lanes"]),
            "; ".join(f"{p['part']} {p['uplift_bps']:+.2f} ± {p['se_bps']:.2f}" for p in x["parts"]),
            "; ".join(n["rule"] for n in x["near_ties"][:3]),
        )
        for x in rows
    ]
    head = ("detector", "rule", "both lanes, bps", "by part, bps", "as good a name")
    return (
        table("The same lessons by lane and by part, and other rules that fit as well.", head, cells) if cells else ""
    )


def in_values(rows: Sequence[Facts]) -> str:
    """Return what the conditions of the rules stand for, empty where none is over numbers or groups."""
    edges = dict.fromkeys((x["detector_id"], e["literal"], literal_words(e)) for x in rows for e in x["edges"])
    return table(IN_VALUES, ("detector", "condition", "in words and values"), list(edges)) if edges else ""


def proposals(rows: Sequence[Facts]) -> str:
    """Return the table of proposals, empty without any."""
    head = ("detector", "rule", "uplift, bps", "95 %, bps", "evidence, nats", "grade", "advice")
    cells = [
        (
            x["detector_id"], x["rule"], f"{x['uplift_bps']:+.2f}", _interval(x["ci95"]), f"{x['evidence_nats']:.2f}",
            x["grade"], x["advice"],
        )
        for x in rows
    ]  # fmt: skip
    return table(PROPOSALS, head, cells, (2, 3, 4)) if cells else ""


def horizons(rows: Sequence[Facts]) -> str:
    """Return what was published in the lessons by horizon, empty without any."""
    marks = [(x["rule"], h) for x in rows for h in x["horizons"]]
    cells = [
        (
            rule, f"{h['horizon_s']}", f"{h['windows']:,}", f"{h['mean_bps']:+.2f}", _interval(h["ci95"]),
            f"{100 * h['hit_rate']:.1f}", _or_dash(h["mfe_bps"], "+.2f"), _or_dash(h["mae_bps"], "+.2f"),
            _or_dash(h["brier"], ".4f"), _or_dash(h["log_score"], ".4f"), _or_dash(h["mean_outside_bps"], "+.2f"),
        )
        for rule, h in marks
    ]  # fmt: skip
    head = (
        "rule", "horizon, s", "published", "mean net, bps", "95 %, bps", "hits, %", "MFE, bps", "MAE, bps", "Brier",
        "log score, nats", "mean outside, bps",
    )  # fmt: skip
    absent = sorted({column for key, column in _OPTIONAL.items() if any(h[key] is None for _, h in marks)})
    missing = " " + MISSING.format(columns="column " + " and no column ".join(absent)) if absent else ""
    return table(HORIZONS + missing, head, cells, range(1, 11)) if cells else ""


def refused(rows: Sequence[Facts]) -> str:
    """Return what was refused, with the number that failed."""
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
    return table("Refused, and why.", ("detector", "rule", "uplift, bps", "grade", "what failed"), cells, (2,))


def audits(rows: Sequence[Facts]) -> str:
    """Return the audits of the propensities."""
    if not rows:
        return "<p>No propensity was logged, so nothing could be audited: log the probability of every draw.</p>"
    cells = [
        (
            a["detector_id"],
            f"{a['windows']:,}",
            f"{a['calibration_z']:+.1f}",
            a["placebo_note"] or f"{a['placebo_z']:+.1f}",
            f"{a['dispersion_z']:+.1f}",
            f"{a['spread_z'][0]:+.1f}, {a['spread_z'][1]:+.1f}",
            f"{a['beyond_share']:.1%}",
            "; ".join([f"alarm: {a['reason']}" if a["alarm"] else "clean", *a["notes"]]),
        )
        for a in rows
    ]
    head = (
        "detector",
        "windows",
        "calibration, z",
        "placebo, z",
        "dispersion, z",
        "one and five horizons, z",
        "beyond",
        "verdict",
    )
    note = (
        "Audits of the last 20 days, in standard deviations (z). Calibration: is published as often as logged? "
        "Placebo: does publishing leave the next window alone? Dispersion: do the draws scatter as random ones do? "
        "One and five horizons: does publishing leave the windows of one and five horizons after alone? Beyond: how "
        "much of the weight has a propensity that the 20 days before did not have? Beyond about 4 (dispersion: 6; "
        "beyond: 10 %) a detector's lessons are blocked."
    )
    return table(note, head, cells, (1, 2, 3, 4, 5, 6))


def detectable(rows: Sequence[Facts]) -> str:
    """Return the smallest effects that the sample could have shown."""
    if not rows:
        return "<p>Nothing: no draw had 0 &lt; p &lt; 1.</p>"
    cells = [
        (d["detector_id"], n, *("out of reach" if v is None else f"{v:.2f}" for v in values))
        for d in rows
        for n, values in d["uplift_bps"].items()
    ]
    head = ("detector", "conditions in the rule", *(f"covers {100 * c:.0f} %: bps" for c in rows[0]["coverage"]))
    return table(DETECTABLE, head, cells, (1, 2, 3, 4))


def naive(rows: Sequence[Facts]) -> str:
    """Return what a table of hit rates would have said."""
    cells = [
        (
            x["detector_id"], x["rule"], f"{x['windows']:,}", f"{100 * x['hit_rate']:.1f}",
            f"{100 * x['hit_rate_outside']:.1f}", f"{x['z']:+.1f}",
        )
        for x in rows
    ]  # fmt: skip
    if not cells:
        return "<p>No condition has enough published windows.</p>"
    head = ("detector", "condition", "published", "hits inside, %", "outside, %", "naive z")
    return table(NAIVE, head, cells, (2, 3, 4, 5))


def inputs(f: Facts) -> str:
    """Return detectors, features and settings."""
    detectors = table(
        "Detectors of the files.",
        ("detector", "horizon, s", "windows", "published", "score"),
        [
            (d["detector_id"], f"{d['horizon_s']}", f"{d['rows']:,}", f"{d['published']:,}", d["meaning"])
            for d in f["detectors"]
        ],
        (1, 2, 3),
    )
    features = table(
        "Features and how rules may speak of them.",
        ("feature", "bins", "literals", "categories", "bins or groups in values"),
        [
            (
                x["name"],
                str(x["bins"]),
                _reading(x["literals"]),
                ", ".join(x["categories"]),
                "; ".join(line.strip() for line in feature_words(x)),
            )
            for x in f["features"]
        ],
        (1,),
    )
    counts = ", ".join(f"{n:,} of {k}" for k, n in enumerate(f["look"]["rules_possible"], 1))
    words = (
        f"Cost subtracted from every payoff: {f['cost_bps']:g} bps. Possible rules by number of conditions: {counts}. "
        f"Files: {_few(f['files'])}{_renamed(f['columns'])}; seed {f['look']['seed']}, {f['look']['draws']} sign draws."
    )
    return f"{detectors}{features}<p class='quiet'>{escape(words)}</p>"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Return a table that scrolls on its own where a page is narrow; `numbers` are the columns set to the right."""
    right = set(numbers)
    kinds = ["n" if k in right else "rule" if name in _RULES else "" for k, name in enumerate(head)]

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{f' class={kind}' if kind else ''}>"
            f"{_unbroken(cell) if kind == 'rule' and tag == 'td' else escape(cell)}</{tag}>"
            for kind, cell in zip(kinds, cells, strict=True)
        )

    body = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in rows)
    top = f"<caption><span>{escape(caption)}</span></caption><thead><tr>{line(head, 'th')}</tr></thead>"
    return f"<div class=wide><table>{top}<tbody>{body}</tbody></table></div>"


def _unbroken(rules: str) -> str:
    """Return rules as HTML that breaks between conditions only."""
    parts = re.split(r"( and |; )", rules)
    return "".join(part if k % 2 else f"<span>{escape(part)}</span>" for k, part in enumerate(parts))


def _reading(reading: str) -> str:
    return {
        "one_sided": "its low or its high end",
        "at_least": "its high end",
        "at_most": "its low end",
        "range": "any range of bins",
        "single": "one category",
    }[reading]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:4])} and {len(names) - 4} more"


def _renamed(columns: Mapping[str, str]) -> str:
    return f", columns {', '.join(f'{ours} = {theirs}' for ours, theirs in columns.items())}" if columns else ""


def _interval(pair: Sequence[float]) -> str:
    return f"{pair[0]:+.2f} to {pair[1]:+.2f}"


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None or value != value else format(value, form)


def _since(x: Facts) -> str:
    if not x["days_watched"]:
        return ""
    return f"; now {x['now']}, e-value {x['e_value']:.2f} on {x['days_watched']} later days"
