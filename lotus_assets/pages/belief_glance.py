"""What is believed, at a glance, for the first rows of `lessons`: a small picture and a sentence for each belief.

Dagster shows Markdown in place only up to a thousand characters, so the picture is drawn by hand and small; it is drawn
on nightly runs that accept nothing too. The full forest plot is `lesson_pictures`. Nothing of it is stored or hashed.
"""

import base64
from collections.abc import Sequence

from lotus.learning.lesson import Lesson
from lotus.pictures.canvas import BAD, GOOD
from lotus.priors.trace import describe_braid
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus.timebase import day_of
from lotus.weave.braid import Braid
from lotus_store.facts.words import NEVER_MS

WIDTH, ROW, LEFT, RIGHT = 310, 20, 145, 295  # pixels; the plot lies between the last two; no wider than its cell
MOST = 6  # beliefs that fit


def belief_documents(
    registry: Sequence[Braid], believed: Sequence[Lesson], words: Vocabulary = DEFAULT
) -> dict[str, str]:
    """Return Markdown by name, the picture first: of `believed` lessons, and of the braids the day began with.

    `words` name the coins of rules.
    """
    out = {"believed": intervals(believed[:MOST])} if believed else {}
    beliefs = [braid for braid in registry if braid.experiment is None]
    if beliefs:
        out["in_force"] = "\n".join(f"- {_sentence(braid, words)}" for braid in beliefs)
    return out


def intervals(believed: Sequence[Lesson]) -> str:
    """Return uplift and 95 % interval (bps) of each lesson over a common axis with its zero, as a Markdown image."""
    ends = [0.0, *(bound for x in believed for bound in x.ci95)]
    low, high = min(ends), max(ends)

    def at(bps: float) -> int:
        return round(LEFT + (RIGHT - LEFT) * (bps - low) / ((high - low) or 1.0))

    height = ROW * (len(believed) + 1)
    marks = [f'<path d="M{at(0.0)} 0V{height - 12}" stroke="#999"/>']
    for k, x in enumerate(believed):
        y, colour = ROW * k + 10, GOOD if x.sign > 0 else BAD
        marks.append(f'<text y="{y + 4}">{x.detector_id}</text>')
        marks.append(f'<path d="M{at(x.ci95[0])} {y}H{at(x.ci95[1])}" stroke="{colour}" stroke-width="3"/>')
        marks.append(f'<circle cx="{at(x.uplift_bps)}" cy="{y}" r="4" fill="{colour}"/>')
    for bps in sorted({low, 0.0, high}):
        marks.append(f'<text x="{at(bps)}" y="{height - 1}" text-anchor="middle">{bps:.0f}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" style="font:11px sans-serif">'
    text = base64.b64encode("".join([head, *marks, "</svg>"]).encode()).decode()
    return f"![uplift with 95 % interval, bps](data:image/svg+xml;base64,{text})"


def _sentence(braid: Braid, words: Vocabulary) -> str:
    until = f"until {day_of(braid.expires_at_ms)}" if braid.expires_at_ms < NEVER_MS else "permanently"
    return (
        f"**{braid.detector_id}** where {describe_braid(braid.active(), words)}: claims {braid.claim_bps:+.2f} bps "
        f"(95 % of the uplift {braid.ci95[0]:+.2f} to {braid.ci95[1]:+.2f}), grade {braid.grade}, in force from "
        f"{day_of(braid.effective_from_ms)} {until}; trust level {braid.level}, e-value against it {braid.e_value:.2g}"
    )
