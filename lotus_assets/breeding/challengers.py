"""Whom a search of a home challenges: candidates in force and in shadow, and detectors that say it in one expression.

Nothing is searched here (`lotus.coprocessor.challengers`).
"""

from typing import Final

from lotus.coprocessor.challengers.pool import Parent
from lotus.coprocessor.proposed import genome_of
from lotus.detectors.registry import scored_detectors
from lotus.errors import ConfigError
from lotus.priors.segment_context import has_segments
from lotus.tape_machine.parser import parse
from lotus.tape_machine.syntax import Tree
from lotus_assets.breeding.forward import in_force, in_shadow
from lotus_assets.stages.context import StageContext
from lotus_store.ledger.beliefs.segments import segments_on

MOST_STANDING: Final[int] = 12


def standing(ctx: StageContext) -> list[Parent]:
    """Return at most twelve parents: what was put in force, what is in shadow, then detectors without frames."""
    bred = [Parent(one.candidate_id, one.genome, one.side) for one in [*in_force(ctx), *in_shadow(ctx)]]
    judged, shipped = ctx.manifest.outcomes.horizons_s, list[Parent]()
    for spec in scored_detectors(ctx.manifest):
        try:
            shipped.append(Parent(spec.detector_id, genome_of(spec, ctx.manifest.kernel.window_ms)))
        except ConfigError:  # it says more than one expression over window columns, or is larger than a candidate
            continue
    return [one for one in [*bred, *shipped] if one.genome.horizon_s in judged][:MOST_STANDING]


def segment_flags(ctx: StageContext, night: str) -> list[Tree]:
    """Return the flags of the segments in force that are the same for every coin: an expression knows no coin."""
    made = segments_on(ctx.sig, ctx.branch, night) if has_segments(ctx.manifest) else None
    texts = set(made.texts) if made is not None else set()
    return [parse(text) for text in texts.pop()] if len(texts) == 1 else []
