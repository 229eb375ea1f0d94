"""The night as one hash: chained, the same when made again, kept whole or not at all; sums over learning days."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.governance.fixture_bundle import first_difference
from lotus.governance.learning_kpis import LEARNING_KPIS, kpis_of
from lotus.governance.metric_regression import METRIC_DAY
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance import governance_day
from lotus_assets.stages.governance.governance_day import NAME
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import read_commit
from lotus_store.ledger.fixture_bundles import bundle_chain, bundles_like, cpu_of_days, newest_bundle, put_bundle

from ..stage_runs import run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]


def test_two_nights_are_chained_and_say_what_they_were_made_of(ctx: StageContext, days: list[str]) -> None:
    found = run(ctx, (*TAPE_STAGES, *LEARNING_STAGES), days[:2])
    name = newest_bundle(ctx.sig, ctx.branch)
    first, second = [one.bundle for one in bundle_chain(ctx.sig, name)]
    assert (first.day, first.parent, second.parent, second.fixtures_hash) == (days[0], "", first.fixtures_hash, name)
    assert {f"{t.stage}[{one.day}]": t.content_hash for one in (first, second) for t in one.tables} == {
        key: value for key, value in found.items() if not key.startswith((NAME, "sanity_table", "window_facts"))
    }, "a reader that runs ahead makes the sanity table last; facts for a model come after the night"
    assert [raw.sha256 for raw in second.raw] == [meta.content_sha256 for meta in ctx.tape.segments(days[1])]
    assert first_difference(second, second.tables) == ""
    assert "raw_tape" in first_difference(second, second.tables[1:])
    kpis = {kpi.kpi: kpi for kpi in kpis_of(ctx.lake.read(LEARNING_KPIS.name, ctx.branch, days[1]))}
    assert (kpis["yield"].n, kpis["yield"].value, kpis["learning_value"].value) == (2, 0.0, 0.0)
    assert cpu_of_days(ctx.sig, ctx.branch, days[:2]).keys() == set(days[:2])
    again = run(replace(ctx, force=True), [governance_day.STAGE], days[:2])
    assert again == {key: found[key] for key in again}
    assert newest_bundle(ctx.sig, ctx.branch) == name
    assert bundles_like(ctx.sig, name[:8]) == [(name, ctx.branch, days[1])]


def test_killed_before_its_commit_it_leaves_nothing_and_ends_the_same(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_commit(ctx.sig, ctx.branch, days[0], NAME)
    assert before is not None
    ctx.sig.execute("DELETE FROM day_commits WHERE stage = %s", [NAME])

    def killed(connection: Connection, *words: object) -> None:
        put_bundle(connection, *words)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(governance_day, "put_bundle", killed)
    with pytest.raises(KeyboardInterrupt):
        run_stage(ctx, governance_day.STAGE, days[0])
    assert read_commit(ctx.sig, ctx.branch, days[0], NAME) is None
    monkeypatch.undo()
    assert run_stage(ctx, governance_day.STAGE, days[0]).content_hash == before.content_hash


def test_a_number_that_moves_under_the_same_version_is_told_again_and_again(ctx: StageContext, days: list[str]) -> None:
    """As if an earlier release had measured another sigma of one detector."""
    rows = ctx.lake.read(METRIC_DAY.name, ctx.branch, days[0])
    at = int(np.flatnonzero((rows["metric"] == "det_sigma") & np.isfinite(rows["value"]))[0])
    stood = rows["value"][at]
    rows["value"][at] = stood * (1 + 1e-5)
    ctx.lake.write(METRIC_DAY, ctx.branch, days[0], rows)
    for _ in range(2):
        result = run_stage(replace(ctx, force=True), governance_day.STAGE, days[0])
        (check,) = [check for check in result.checks if check.name == "metric_regression"]
        assert (check.passed, check.numbers["moved"], result.failed_checks) == (False, 1, ())
        assert check.text.startswith(f"det_sigma of {rows['detector_id'][at]} is {stood:.9g}, was ")
    rows["spec_id"][at] = "another version"
    ctx.lake.write(METRIC_DAY, ctx.branch, days[0], rows)
    result = run_stage(replace(ctx, force=True), governance_day.STAGE, days[0])
    assert all(check.passed for check in result.checks)
