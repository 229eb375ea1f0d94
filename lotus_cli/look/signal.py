"""`lotus signal`: the payload of one event under the signal contract, built from its row and checked."""

import json

import click

from lotus.curation.in_force import expert_states
from lotus.detectors.scoring.signal_facts import facts_of, spec_of
from lotus.errors import LedgerError, SchemaError
from lotus.experts.weekly.learned import set_of_day
from lotus.modules.signals import (
    BUILDERS,
    META,
    META_FITTED,
    SIGBUS,
    SIGBUS_CURATED,
    SIGNAL_SCHEMAS,
    Payload,
    check_signal,
)
from lotus.timebase import day_of
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_home, settings_of
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Connection, Databases
from lotus_store.facts.event import event_tables
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.braids import claims_of
from lotus_store.ledger.beliefs.detector_sets import detectors_on
from lotus_store.ledger.beliefs.expert_sets import read_expert_sets
from lotus_store.ledger.beliefs.priors import read_version
from lotus_store.ledger.signals.events import read_event
from lotus_store.ledger.signals.signals import published_signal

_NEWER = {SIGBUS: SIGBUS_CURATED, META: META_FITTED}  # what stands on the bus instead where acts were in force


@click.command("signal")
@click.argument("event_id")
@click.option("--schema", type=click.Choice(SIGNAL_SCHEMAS), default=SIGBUS, show_default=True, help="Which payload.")
@at_home
def signal_command(event_id: str, schema: str, home: str | None, as_json: bool) -> None:
    """Print the payload of a scored window; the bus itself takes it only when the window was published."""
    settings = settings_of(home, None)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        payload = payload_of(sig, settings, event_id, schema)
    emit(payload, as_json, json.dumps(payload, indent=2, ensure_ascii=False))


def payload_of(sig: Connection, settings: Settings, event_id: str, schema_ver: str) -> Payload:
    """Return the checked payload of an event: made from its row, or as published before its day was computed.

    Raises `LedgerError` for an unknown event, `SchemaError` when the window was not published and the schema is one of
    published windows only.
    """
    try:
        row = read_event(sig, event_id)
    except LedgerError:
        published = published_signal(sig, event_id, schema_ver)
        if published is None and schema_ver in _NEWER:
            published = published_signal(sig, event_id, _NEWER[schema_ver])
        if published is None:
            raise
        payload: Payload = json.loads(published)
        return check_signal(payload)
    if schema_ver != SIGBUS and not row["published"]:
        raise SchemaError(f"event {event_id} was not published", f"a published one for {schema_ver}")
    version = read_version(sig, str(row["branch"]), str(row["priors_ver"]))
    manifest = load_settings(home=settings.home, config=settings.config, branch=str(row["branch"])).manifest
    branch, day = str(row["branch"]), str(row["day"])
    acts, detectors = acts_on(sig, branch, day), detectors_on(sig, branch, day, manifest)
    tables = event_tables(Lake(settings.lake_root), row, day, manifest, detectors, acts)
    began, states = day_of(int(row["window_start_ms"])), expert_states(acts, day)
    experts = set_of_day(began, read_expert_sets(sig, branch), states).version
    claims = claims_of(sig, [braid.braid_id for braid in version.braids])
    facts = facts_of(row, spec_of(row, detectors), manifest, version, tables, experts, claims)
    return check_signal(BUILDERS[schema_ver](row, facts))
