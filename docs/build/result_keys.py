"""The object that `lotus learn --json` prints, key by key: for the reference page, and for the test that walks one.

What the numbers are is `facts`; a key is added there and here, or the test fails. The field's word: output schema.
"""

from typing import Final

LESSON: Final = {
    "detector_id": "detector",
    "horizon_s": "s; the horizon that was searched",
    "rule": "in words; bins count from 0, the lowest",
    "edges": "list by condition over numbers or groups: what it stands for, see below",
    "uplift_bps": "bps; U, over the baseline, net of cost",
    "ci95": "bps; [low, high] of the uplift, six-hour blocks",
    "lcb_bps": "bps; the size that holds after the search; negative where the evidence is below the bar",
    "bound_bps": "bps; the same with the sign of the uplift",
    "contrast_bps": "bps; C, inside less outside at like propensity; 0 where windows were not read",
    "contrast_ci95": "bps; [low, high] of the contrast",
    "claim_bps": "bps; the uplift shrunk by what a search adds to it",
    "grade": "A, B, C, D or none",
    "status": "IDENTIFIED, MODEL_ONLY or REFUSED",
    "support": "object, see below",
    "n_eff": "independent days behind the figure",
    "near_ties": "list of {rule, evidence_nats, uplift_bps}: rules within two nats, as good a name for the same effect",
    "lanes": "list of {lane, uplift_bps, ci95, lcb_bps, evidence_nats, critical_nats}: same day and rest of the day",
    "parts": "list of {part, uplift_bps, se_bps, published}: by asset, halves of the days, newest fifth; weaker lane",
    "warnings": "what the audits found that does not refuse it",
    "evidence_nats": "nats; after paying for the number of rules of its length, of the lane nearer to failing",
    "critical_nats": "nats; what it had to exceed there",
    "net_mean_bps": "bps; mean net payoff at the margin of publication inside the rule",
    "net_bounds_bps": "bps; its one-sided 95 % bounds",
    "advice": "what it would change",
    "lesson_id": "hash of the content",
}
ACCEPTED: Final = {
    "nights": "days on which it was found",
    "now": "active, expired or reverted",
    "e_value": "of the days after it was found, 20 reverts; null without such days",
    "days_watched": "such days",
    "horizons": "list by horizon, see below",
}
REASONED: Final = {"reason": "the number that failed, or why it is only a proposal"}
SUPPORT: Final = {
    "windows": "windows with a chance inside the rule",
    "published": "of them published",
    "ess": "effective sample (Kish)",
    "coverage": "share of the overlap weight",
    "days": "days with weight",
    "blocks": "six-hour blocks with weight",
}
HORIZON: Final = {
    "horizon_s": "s",
    "windows": "published windows with a payoff",
    "mean_bps": "bps; mean net payoff",
    "ci95": "bps; its 95 % interval",
    "hit_rate": "share above zero; exactly zero is half a hit",
    "mean_outside_bps": "bps; mean of what was published outside the rule",
    "mfe_bps": "bps; mean highest payoff on the way; null without the column",
    "mae_bps": "bps; mean lowest payoff on the way; null without the column",
    "brier": "score of p_hit, lower is better; null without the column",
    "log_score": "nats; score of p_hit, lower is better; null without the column",
}
EDGE: Final = {
    "feature": "column",
    "literal": "the condition as it stands in the rule",
    "words": "which bins these are: the highest fifth; empty for groups",
    "values": "the values of a group, as the files have them; empty for numbers",
    "above": "edge that a value exceeds; null where the lowest bin belongs to it",
    "up_to": "edge that a value may reach; null where the highest bin belongs to it",
}
MOVES: Final = {
    "median": "in the column's unit; of the edge over days and assets",
    "low": "its lowest",
    "high": "its highest",
    "days": "days with edges",
    "by_asset": "{asset: {median, low, high}} where assets differ by a quarter of the edges' span, else empty",
}
FEATURE: Final = {
    "name": "column",
    "bins": "how many",
    "literals": "how rules may speak of it",
    "categories": "names of the bins; empty for numbers",
    "grouped_by": "who took categories together; empty where nobody did",
    "groups": "{group: [values]}",
    "edges": "list, lowest first: the edge above bin 0, 1, ...; empty for categories",
}
AUDIT: Final = {
    "detector_id": "detector",
    "alarm": "whether its new lessons are blocked",
    "reason": "why",
    "windows": "windows audited, of the last 20 days",
    "calibration_z": "published less logged, standard deviations",
    "placebo_z": "effect of publishing on the next window; null without paper payoffs",
    "placebo_note": "why it is null",
    "dispersion_z": "scatter of the draws",
    "worst_stratum_z": "the same, worst stratum of the propensity",
    "spread_z": "effect of publishing on the windows within one and five horizons after",
    "paper_z": "modelled payoffs of published windows against the others, z; null without paper payoffs",
    "equal_share": "share of executed windows whose modelled payoff is exactly the executed one",
    "late_lag": "horizons at which payoffs go along more than twice as far apart; 0 when none",
    "beyond_share": "share of the weight at propensities that the 20 days before did not have",
    "results_t": "what is traded next against the day's result so far, t by day",
    "skew": "of day sums, in standard errors",
    "notes": "what follows of these without a refusal",
}
TOP: Final = {
    "lessons": "list of accepted lessons",
    "proposals": "list of grade C from the second channel, never accepted: a lesson's keys and `reason`",
    "refused": "list: a candidate's keys (a lesson's) and `reason`; with `rule` null the detector as a whole",
    "audits": "list by detector",
    "trials": "rules tried",
    "look": "how often and at what price was looked: looks, alpha, nightly, bars of both lanes, draws, seed, rules",
    "days": "first, last and count of the days of the windows; `learning`: days on which their outcomes were known",
    "detectors": "rows, published, windows without a chance, and how each is scored",
    "detectable": "smallest uplift found in 80 % of such samples, bps, by conditions in the rule and coverage",
    "naive": "what a table of hit rates would have said",
    "features": "list by feature, see below",
    "cost_bps": "bps; subtracted from every payoff",
    "fill_source": "executed or venue",
    "variants": "scores in use",
    "files": "files read",
    "columns": "{name of the format: name in the files} of the configuration",
    "unused_columns": "columns that were not used",
    "report": "path of the page; only with --out, and not in result.json",
}


def result_text() -> str:
    """Return the object as Markdown tables."""
    parts = [
        ("the object", TOP),
        ("`lessons[]`", LESSON | ACCEPTED),
        ("`lessons[].support`", SUPPORT),
        ("`lessons[].edges[]`", EDGE),
        ("an edge", MOVES),
        ("`lessons[].horizons[]`", HORIZON),
        ("`audits[]`", AUDIT),
        ("`features[]`", FEATURE),
    ]
    out = []
    for name, keys in parts:
        rows = [f"| `{key}` | {meaning} |" for key, meaning in keys.items()]
        out += ["", f"| {name} | unit; meaning |", "| --- | --- |", *rows]
    return "\n".join(out[1:])
