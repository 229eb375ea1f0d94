"""A study's facts as text for a terminal: lessons, refusals as proudly as wins, audits, what could have been seen."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from lotus.own_signals.report.estimates import estimated
from lotus.own_signals.report.reading_words import feature_words, named_features, rule_words

Facts = Mapping[str, Any]
NOT_TRIED = "Nothing was tried, so nothing is known; the reasons stand under what was refused."


def text_of(facts: Facts) -> str:
    """Return the text of `facts_of`."""
    parts = [
        _head(facts),
        _lessons(facts["lessons"], facts["trials"]),
        _proposals(facts["proposals"], facts["look"]),
        _refused(facts["refused"]),
        _bins(facts),
        _audits(facts["audits"]),
        _detectable(facts["detectable"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(f: Facts) -> str:
    look, days = f["look"], f["days"]
    bar, rest = look["critical_nats"], look["critical_rest_nats"]
    lines = [
        f"OWN SIGNALS   {days['count']} days from {days['first']} to {days['last']}, {len(f['features'])} features",
        f"  {f['trials']:,} rules tried; {looks(look)}; evidence needed: {_nats(bar)} against the same day, "
        f"{_nats(rest)} against the rest of it",
    ]
    lines += [
        f"  {d['detector_id']}, {d['horizon_s']} s: {d['rows']:,} windows, {d['published']:,} published; "
        f"score {d['score']} ({d['meaning']})"
        for d in f["detectors"]
    ]
    return "\n".join(lines)


def looks(look: Facts) -> str:
    """Return how many interim analyses there were, and at what alpha."""
    share = f"{100 * look['alpha']:g} %"
    if look["nightly"]:
        return f"{look['looks']} nightly looks, at most {share} chance of any false lesson in a budget year"
    return f"one look, at most {share} chance of any false lesson"


def _lessons(rows: Sequence[Facts], trials: int) -> str:
    if not rows and not trials:
        return f"LESSONS   none. {NOT_TRIED}"
    if not rows:
        return "LESSONS   none. With this sample nothing beats what chance alone finds among as many rules."
    lines = [
        "LESSONS   uplift over what the propensity already knew, net of cost, bps per unit, with 95 % interval and the",
        "          bound that holds after the search; bins count from 0, the lowest, against the seven days before;",
        "          their edges: median over the days (lowest to highest)",
    ]
    for x in rows:
        low, high = x["ci95"]
        s = x["support"]
        lines += [
            f"  {x['detector_id']}: {x['rule']}   {x['uplift_bps']:+.2f} [{low:+.2f}, {high:+.2f}], "
            f"bound {x['bound_bps']:+.2f}, grade {x['grade']}",
            *(f"    {line}" for line in rule_words(x["edges"])),
            f"    inside less outside, at like propensity: {x['contrast_bps']:+.2f} [{x['contrast_ci95'][0]:+.2f}, "
            f"{x['contrast_ci95'][1]:+.2f}]",
            f"    {s['published']:,} published in {s['days']} days and {s['blocks']} blocks, {s['coverage']:.0%} of "
            f"the weight, n_eff {x['n_eff']:.1f} days; evidence {x['evidence_nats']:.2f} nats",
            *_lanes(x),
            f"    net payoff here {x['net_mean_bps']:+.2f} [{x['net_bounds_bps'][0]:+.2f}, "
            f"{x['net_bounds_bps'][1]:+.2f}]; advice: {x['advice']}",
        ]
        lines += [f"    {horizon_words(h)}" for h in x["horizons"]]
        if x["days_watched"]:
            lines.append(
                f"    found on {', '.join(x['nights'])}, now {x['now']}: e-value {x['e_value']:.2f} after "
                f"{x['days_watched']} later days (20 reverts)"
            )
        if x["near_ties"]:
            others = "; ".join(n["rule"] for n in x["near_ties"][:3])
            lines.append(f"    as good a name ({len(x['near_ties'])}): {others}")
    lines += textwrap.wrap(estimated(rows), 112, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)


def _lanes(x: Facts) -> list[str]:
    lanes = [
        f"{lane['lane']} {lane['uplift_bps']:+.2f} [{lane['ci95'][0]:+.2f}, {lane['ci95'][1]:+.2f}], "
        f"{lane['evidence_nats']:.2f} nats"
        for lane in x["lanes"]
    ]
    parts = [f"{p['part']} {p['uplift_bps']:+.2f} +- {p['se_bps']:.2f}" for p in x["parts"]]
    lines = [f"    {what}: {'; '.join(rows)}" for what, rows in (("both lanes", lanes), ("by part", parts)) if rows]
    return [*lines, *(f"    told by the audits: {warning}" for warning in x["warnings"])]


def horizon_words(h: Facts) -> str:
    """Return the figures of one horizon in words; what the files do not give is said to be missing."""
    low, high = h["ci95"]
    moves = (
        f"MFE {h['mfe_bps']:+.2f}, MAE {h['mae_bps']:+.2f} bps"
        if h["mfe_bps"] is not None and h["mae_bps"] is not None
        else "no MFE and MAE: no columns mfe_bps, mae_bps"
    )
    scores = (
        f"Brier {h['brier']:.4f}, log score {h['log_score']:.4f} nats"
        if h["brier"] is not None
        else "no Brier and log score: no column p_hit"
    )
    return (
        f"at {h['horizon_s']} s: {h['windows']:,} published, net {h['mean_bps']:+.2f} bps [{low:+.2f}, {high:+.2f}], "
        f"hits {h['hit_rate']:.1%};\n      {moves}; {scores}"
    )


def _proposals(rows: Sequence[Facts], look: Facts) -> str:
    if not rows:
        return (
            "PROPOSALS   none from the second channel, which sees slow features and may only propose "
            f"(at most {100 * look['pooled_alpha']:g} % chance of any)"
        )
    share = f"at most {100 * look['pooled_alpha']:g} % chance of any false one"
    lines = [
        f"PROPOSALS   grade C, never accepted: whole days compared, {share}; uplift in bps.",
        "            The lessons above are not taken out first: this may be the shadow of one",
    ]
    for x in rows:
        low, high = x["ci95"]
        lines.append(
            f"  {x['detector_id']}: {x['rule']}   {x['uplift_bps']:+.2f} [{low:+.2f}, {high:+.2f}], "
            f"evidence {x['evidence_nats']:.2f} nats"
        )
        lines += [f"    {line}" for line in (*rule_words(x["edges"]), f"advice: {x['advice']}")]
    return "\n".join(lines)


def _refused(rows: Sequence[Facts]) -> str:
    if not rows:
        return "REFUSED   nothing came near"
    lines = ["REFUSED"]
    for x in rows:
        if x["rule"] is None:
            lines.append(f"  {x['detector_id']}: {x['reason']}")
        else:
            grade = f", grade {x['grade']}" if x["grade"] != "none" else ""
            lines.append(f"  {x['detector_id']}: {x['rule']}   {x['uplift_bps']:+.2f}{grade}: {x['reason']}")
    return "\n".join(lines)


def _bins(f: Facts) -> str:
    """Return what the bins of the features named above stand for, empty without any."""
    lines = [f"  {line}" for feature in named_features(f) for line in feature_words(feature)]
    if not lines:
        return ""
    head = "BINS   of the features named above: edges by the seven days before, per asset; median (lowest to highest)"
    return "\n".join([head, *lines])


def _audits(rows: Sequence[Facts]) -> str:
    if not rows:
        return "AUDITS   none: no propensity was logged"
    lines = ["AUDITS   last 20 days"]
    for a in rows:
        placebo = a["placebo_note"] or f"placebo z {a['placebo_z']:+.1f}"
        verdict = f"ALARM: {a['reason']}" if a["alarm"] else "clean"
        lines.append(
            f"  {a['detector_id']}: calibration z {a['calibration_z']:+.1f}, {placebo}, dispersion z "
            f"{a['dispersion_z']:+.1f}; windows of one and five horizons after z "
            f"{a['spread_z'][0]:+.1f} and {a['spread_z'][1]:+.1f}; weight beyond the knots {a['beyond_share']:.1%}: "
            f"{verdict}"
        )
        lines += [f"    {note}" for note in a["notes"]]
    return "\n".join(lines)


def _detectable(rows: Sequence[Facts]) -> str:
    lines = [
        "WHAT THIS SAMPLE COULD SHOW   smallest uplift found in 80 % of cases, bps, by share of the weight covered"
    ]
    for d in rows:
        for n, row in d["uplift_bps"].items():
            cells = ", ".join(f"{c:.0%}: {_bps(v)}" for c, v in zip(d["coverage"], row, strict=True))
            lines.append(f"  {d['detector_id']}, {n} literal{'s' if n != '1' else ''}: {cells}")
    return "\n".join(lines if rows else [*lines, "  nothing: no draw with 0 < p < 1"])


def _bps(value: float | None) -> str:
    return "out of reach" if value is None else f"{value:.2f}"


def _nats(value: float | None) -> str:
    return f"{value:.2f} nats" if value is not None and value < float("inf") else "beyond reach"
