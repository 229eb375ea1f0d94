"""The terms of a detector's score in one table: formula, range, window, and when a term stands at its neutral value.

`python docs/build/kernel_terms_page.py > docs/reference/kernel_terms.md`; a test compares them. The formulas are in
`daily.quality`, `daily.kernel`, `daily.bins` (day-frozen) and `scoring.step` (streaming); nothing is computed here.
"""

from dataclasses import dataclass
from typing import Final

QUALITY, SLOW, STREAM, SCORE, TIMING = "Quality", "Slow kernel terms", "Streaming kernel terms", "Score", "Timing"
CURATORS = "Curators"
FEW_DAYS: Final = "0.5 and a flag below 10 matured days"


@dataclass(frozen=True, slots=True)
class Term:
    """One term: `name` as in tables and cards, `low` and `high` its closed range, `window` the data it reads."""

    group: str
    name: str
    formula: str
    low: float
    high: float
    window: str
    neutral: str


TERMS: Final[tuple[Term, ...]] = (
    Term(QUALITY, "sq_accuracy", "Σ 1{sign s = sign r}·|s| / Σ|s|, r = 0 counts one half", 0, 1, "20 days",
         f"{FEW_DAYS}, or without a signal"),
    Term(QUALITY, "sq_precision", "clip(t / 4, 0, 1): t of the slope of r on s, Newey–West error over the windows of "
         "one horizon, scores of all assets of a window summed first", 0, 1, "20 days",
         f"{FEW_DAYS}, below 30 signals, or when s or the error does not vary"),
    Term(QUALITY, "sq_stability", "m⁺ / (m⁺ + sd(IR) / √n): IR = mean P / sd P of a day, m⁺ = max(mean IR, 0), n days",
         0, 1, "20 days", f"{FEW_DAYS}, below 2 days with an IR, or 0 / 0"),
    Term(QUALITY, "sq_orthogonality", "1 − max over other active detectors j of |corr(P, P_j)| on shared windows", 0, 1,
         "20 days", f"{FEW_DAYS}, or when no other detector shares 30 windows; siblings are left out"),
    Term(QUALITY, "sq_cost", "cost / (cost + max(gross, 0)): gross = mean d·r, cost = max(mean(d·r − P), 0)", 0, 1,
         "20 days", f"{FEW_DAYS}, or 0 / 0"),
    Term(QUALITY, "sq_score", "clip(.35 accuracy + .25 precision + .20 stability + .20 orthogonality − .20 cost, 0, 1)",
         0, 1, "20 days", f"{FEW_DAYS}; a part that is missing enters at 0.5 and is flagged by its own name"),
    Term(SLOW, "kr_coherence", "clip((C − 1/K) / (1 − 1/K), 0, 1): C = mean Welch coherence of s and the next window's "
         "return inside the declared band, over K Hann segments without overlap in which the detector spoke", 0, 1,
         "20 days", "0.5 and a flag below 10 days or K < 16, or without power in the band"),
    Term(SLOW, "kr_phi", "|corr| of P and the change of dispersion, both less their ridge fit (0.01·n) on the twelve "
         "standardised context features; dispersion = sd over assets of 5-minute returns", 0, 1, "20 days",
         f"{FEW_DAYS}, with fewer than 3 assets, below 42 joined windows, or 0 / 0; siblings are left out"),
    Term(SLOW, "kr_theta", "θ₀ = clip(1 − min(1, published / 500)·H / ln 12, 0, .9): H = entropy of publications over "
         "surprise tercile × session", 0, 0.9, "20 days", "0.5 and a flag below 10 days or without a publication"),
    Term(SLOW, "kr_rho", "logistic((depth − 8) / 4 + (nodes − 48) / 24) of the specification", 0, 1, "none", "never"),
    Term(SLOW, "kr_emergence", "logistic(t): t of the least-squares slope, over learning days, of the daily median of "
         "σ before priors, evidence, crowding and emergence itself", 0, 1, "30 days",
         "0.5 and a flag below 10 days with a σ (days on which sq_score stood at 0.5 have none), or without scatter"),
    Term(SLOW, "kr_novelty", "half the median cosine distance of the payoff profile (mean P per context bin less the "
         "mean of all, 57 bins) to those of the other active detectors", 0, 1, "20 days",
         f"{FEW_DAYS}, or without another profile; siblings are left out"),
    Term(STREAM, "kr_hbar", "PH / (PH + 5): PH = max(0, PH + x − .25), x = clip((ln(rv + 1e-4) − m) / s, ±5), m and s "
         "frozen per asset; PH = 0 at birth and behind a gap", 0, 1, "m, s: 7 days", "0.5 while m and s are unknown"),
    Term(STREAM, "crowd_share", "signals of the window before, over all assets and detectors, that point the same way, "
         "over all of them", 0, 1, "window before", "0 without a window before"),
    Term(STREAM, "mx_evidence", "fused evidence of the micro-experts for the signal's direction", 0, 1, "frame",
         "null vetoes; counts as 0.5 in the terms that are stored"),
    Term(SCORE, "G", "exp((ln ĥ + ln ĉ + ln φ̂ + .8 ln n̂ + .8 ln ê) / 4.6), x̂ = .05 + .95x of hbar, coherence, phi, "
         "novelty, emergence", 0.05, 1, "window", "never"),
    Term(SCORE, "theta1", "max(0, θ₀ − γ_mx·mx_evidence)", 0, 0.9, "window", "never"),
    Term(SCORE, "kr_delta_phi", "G·(1 − θ')^.7·(1 − ρ)^.7·(1 + β_mx(2·mx_evidence − 1)) / (1 + c·crowd_share^q)·Φ'", 0,
         1, "window", "never; clipped for display only"),
    Term(SCORE, "det_sigma", "exp(.6 ln max(sq_score, 1e-3) + .4 ln max(Δφ, 1e-3))", 0, 1, "window",
         "never; clipped for display only"),
    Term(CURATORS, "leakage_veto", "1 when a leakage audit failed: every window of the detector is vetoed", 0, 1,
         "newest audit of an earlier day", "0 without an audit of the version"),
    Term(CURATORS, "adv_fragility", "mean change of the signed score over six disturbances; ln σ̃ moves by "
         "−kappa_fragility·adv_fragility, det_sigma does not", 0, 1, "newest audit of an earlier day",
         "0 without an audit of the version"),
    Term(CURATORS, "stage_veto", "1 when the version is deprecated or archived: every window is vetoed; an "
         "experimental one with sq_score < .30 has π = ε", 0, 1, "newest card of an earlier day",
         "0 without a card of the version"),
    Term(TIMING, "det_kairos", "(1 + cos(phase of the dominant cycle − best phase of the signal's direction)) / 2", 0,
         1, "window", "null without a phase, which vetoes"),
    Term(TIMING, "det_entrain_r", "|mean of exp(i·phase)| over the assets that closed the window before", 0, 1,
         "window before", "null below 3 assets; the gate is open while the tape holds fewer than 3, else closed"),
    Term(TIMING, "det_uncert", "population variance of s over the 4 jittered siblings", 0, 1, "window", "never"),
)  # fmt: skip


def terms_page() -> str:
    """Return the reference page as Markdown."""
    lines = [
        "# Terms of a detector's score",
        "",
        "Made by `docs/build/kernel_terms_page.py`; edit that. s = signal, d = its sign, r = forward return and",
        "P = modelled probe payoff at the decision horizon, in bps. Terms with a look-back in days are frozen at day",
        "start from matured days before it. A term at its neutral value is named in the flags of the day's tables.",
    ]
    for group in dict.fromkeys(t.group for t in TERMS):
        lines += ["", f"## {group}", "", "| term | formula | range | reads | neutral |", "|---|---|---|---|---|"]
        lines += [
            f"| `{t.name}` | {_cell(t.formula)} | {t.low:g} … {t.high:g} | {t.window} | {_cell(t.neutral)} |"
            for t in TERMS
            if t.group == group
        ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(terms_page(), end="")
