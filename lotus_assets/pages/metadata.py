"""From a stage's result to Dagster's events: materialisation, data version and check evaluations.

Presentation only. What people look at stands first: pictures, the small table, notes; rows, hashes and timings last. A
stage that found its inputs equal says that nothing was computed. A check that saw nothing warns.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import dagster as dg

from lotus.timebase import next_day
from lotus_assets.catalogue import BY_NAME, EXTERNAL_BELIEF
from lotus_assets.code_version import code_version
from lotus_assets.pages.plot import plot_markdown
from lotus_assets.stages.context import Cell, CheckOutcome, StageResult
from lotus_resources.console_process import CONSOLE_ENV
from lotus_resources.dagster_internals import input_tags, version_tags

Metadata = dict[str, dg.MetadataValue]
CONSOLE_PAGES = {
    "raw_tape": "/tape?day={day}", "microtape_frames": "/tape?day={day}", "signal_events": "/parity?day={day}",
    "detector_audits": "/audits", "detector_cards": "/detectors", "lessons": "/lessons?day={day}",
    "expert_stats": "/experts",
}  # fmt: skip
InputTags = Callable[[str, str, bool], dict[str, str]]
REUSED = "inputs and code equal those of the result that is kept; `force: true` in the run's config computes again"


def metadata_of(result: StageResult, before: Metadata | None = None) -> Metadata:
    """Return the metadata of a committed stage of a day in the order in which it is shown; `before`: `shown_before`."""
    out: Metadata = {**(before or {})}
    out |= {name: dg.MetadataValue.md(text) for name, text in result.documents.items()}
    if result.plot is not None and result.plot.series:
        out["plot"] = dg.MetadataValue.md(plot_markdown(result.plot))
    if result.table is not None and result.table.rows:
        out["table"] = dg.MetadataValue.md(result.table.markdown)
    out |= _named(result.notes)
    out |= _at_console(result.stage, result.day)
    if result.reused:
        out["nothing_computed"] = dg.MetadataValue.text(REUSED)
    out |= {
        "dagster/partition_row_count": dg.MetadataValue.int(result.rows),
        "content_hash": dg.MetadataValue.text(result.content_hash),
        "inputs_hash": dg.MetadataValue.text(result.inputs_hash),
        "reused": dg.MetadataValue.bool(result.reused),
        "seconds": dg.MetadataValue.float(round(sum(result.seconds.values()), 4)),
    }
    return out | {f"seconds_{name}": dg.MetadataValue.float(round(s, 4)) for name, s in result.seconds.items()}


def _at_console(stage: str, day: str) -> Metadata:
    """Return the link to the console's page about a stage's day, nothing where no console is known."""
    url, place = os.environ.get(CONSOLE_ENV, ""), CONSOLE_PAGES.get(stage)
    return {"console": dg.MetadataValue.url(f"{url}{place.format(day=day)}")} if url and place else {}


def shown_before(instance: dg.DagsterInstance, result: StageResult) -> Metadata:
    """Return tables and pictures of the newest materialisation of a reused result: they are kept nowhere else."""
    if not result.reused:
        return {}
    asked = dg.AssetRecordsFilter(dg.AssetKey(result.stage), asset_partitions=[result.day])
    for record in instance.fetch_materializations(asked, limit=1).records:
        metadata = record.asset_materialization.metadata if record.asset_materialization else {}
        if metadata.get("content_hash") == dg.MetadataValue.text(result.content_hash):
            return {name: value for name, value in metadata.items() if isinstance(value, dg.MarkdownMetadataValue)}
    return {}


def day_events(
    instance: dg.DagsterInstance, result: StageResult, tags_of: InputTags | None = None
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Yield the events of one stage of a day inside a run over many days: checks first, then the materialisation.

    `tags_of` gives the `input_tags` of an asset and partition; who records many stages of a day asks once for each.
    """
    tags_of = tags_of or partial(input_tags, instance)
    key, before = dg.AssetKey(result.stage), shown_before(instance, result)
    yield from (evaluation(result, check) for check in result.checks)
    if not result.failed_checks:
        entry = BY_NAME[result.stage]
        tags = version_tags(result.content_hash, code_version(*entry.packages))
        for name, _ in entry.deps:
            tags |= tags_of(name, result.day, name == EXTERNAL_BELIEF)
        yield dg.AssetMaterialization(key, partition=result.day, metadata=metadata_of(result, before), tags=tags)


def carried_over(day: str, stages: Iterable[str]) -> Iterator[dg.AssetMaterialization]:
    """Yield the events of a day without tape: nothing was computed, beliefs are carried over it."""
    for stage in stages:
        metadata = {"dagster/partition_row_count": dg.MetadataValue.int(0), "tape": dg.MetadataValue.text("none")}
        yield dg.AssetMaterialization(stage, "no tape: beliefs are carried over", partition=day, metadata=metadata)


def belief_events(result: StageResult) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    """Yield the report of the external belief once the priors of a day are committed and handed over."""
    if result.stage == "active_priors":
        words = f"applied: what {result.day} taught, in force from the swap of {next_day(result.day)}"
        yield from in_force(next_day(result.day), str(result.notes["priors_ver"]), _named(result.notes), words)


def in_force(
    day: str, priors_ver: str, more: Mapping[str, dg.MetadataValue], words: str = ""
) -> tuple[dg.AssetMaterialization, dg.AssetObservation]:
    """Return the report that a version is in force from the swap of `day` on.

    Twice, for Dagster counts the days of an external asset by its materialisations, and shows its observations as its
    latest event.
    """
    metadata, tags = {"priors_ver": dg.MetadataValue.text(priors_ver), **more}, version_tags(priors_ver)
    made = dg.AssetMaterialization(EXTERNAL_BELIEF, words or None, metadata, partition=day, tags=tags)
    return made, dg.AssetObservation(EXTERNAL_BELIEF, words or None, metadata, partition=day, tags=tags)


def evaluation(result: StageResult, check: CheckOutcome) -> dg.AssetCheckEvaluation:
    """Return one check's evaluation for the day of `result`."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(result.stage),
        **_check_fields(check),
        blocking=check.blocking,
        partition=result.day,
    )


def _check_fields(check: CheckOutcome) -> dict[str, Any]:
    """Return the fields of a check, whoever reports it."""
    return {
        "check_name": check.name,
        "passed": check.passed and not check.unseen,
        "severity": dg.AssetCheckSeverity.WARN if check.unseen else dg.AssetCheckSeverity.ERROR,
        "description": check.text,
        "metadata": _named(check.numbers),
    }


def _named(values: Mapping[str, Cell]) -> Metadata:
    """Return values by name; a moment (`..._from_ms`, `..._at_ms`) is shown as a time."""
    moments = {name: name.removesuffix("_ms") for name in values if name.endswith(("_from_ms", "_at_ms"))}
    return {
        moments.get(name, name): dg.MetadataValue.timestamp(float(value) / 1000) if name in moments else _value(value)
        for name, value in values.items()
    }


def _value(value: Cell) -> dg.MetadataValue:
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float) and not math.isfinite(value):  # of which a page shows nothing at all
        return dg.MetadataValue.text("not a number" if math.isnan(value) else "infinite")
    return dg.MetadataValue.float(value) if isinstance(value, float) else dg.MetadataValue.text(value)
