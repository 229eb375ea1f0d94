"""meta_braids[day]: compositions of braids that were considered, with the number that refused them."""

from collections.abc import Mapping

from lotus.hashing import natural_id
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Made, Stage, StageContext, Table
from lotus_assets.stages.woven import weave, woven_inputs
from lotus_store.databases import Connection
from lotus_store.ledger.bodies import to_body
from lotus_store.ledger.lessons import write_experiments

KIND = "meta_braid"  # kind of experiment rows


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The woven night and the board it left."""
    return {**woven_inputs(ctx, day), "braids": content_of(ctx, ctx.branch, day, "braids")}


def make(ctx: StageContext, day: str) -> Made:
    """Leave the night's candidates to the commit."""
    found = weave(ctx, day).meta

    def ledger(connection: Connection) -> None:
        write_experiments(connection, ctx.branch, day, KIND, {c.candidate_id: c for c in found})

    rows = [(c.detector_id, c.op, c.co_occurrence, c.days_out_of_sample, c.reason) for c in found]
    table = Table(("detector", "operator", "co-occurrence", "days out of sample", "decision"), rows)
    return Made(len(found), natural_id(to_body(list(found))), (), {"candidates": len(found)}, table, None, ledger)


STAGE = Stage("meta_braids", inputs, make)
