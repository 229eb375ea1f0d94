"""`lotus signal`: the payload of an event; what the daemon published is made again from the rows of its day."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from small_home import Cli, Facts

from lotus.errors import LedgerError
from lotus.modules.canonical import canonical_json
from lotus.modules.signals import SIGNAL_SCHEMAS, check_signal
from lotus_cli.look.signal import payload_of
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Connection, Databases

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


@contextmanager
def opened(lotus: Cli) -> Iterator[tuple[Connection, Settings]]:
    """Give a connection whose changes are taken back."""
    settings = load_settings(home=lotus.home, config=lotus.home / "lotus.toml")
    with Databases(settings) as databases, databases.owner("sig") as sig:
        yield sig, settings
        sig.rollback()


def rows(lotus: Cli, statement: str) -> list[tuple[str, ...]]:
    """Return the rows of a statement as texts."""
    with opened(lotus) as (sig, _):
        return [tuple(map(str, row)) for row in sig.execute(statement.encode())]


def test_live_payloads_are_those_of_the_days_rows(lotus: Cli, facts: Facts) -> None:
    of_the_demo = "SELECT event_id, schema_ver, payload FROM live_signals WHERE run_id = 'live-demo-11' ORDER BY 1, 2"
    published = rows(lotus, of_the_demo)
    events = rows(lotus, "SELECT event_id FROM signal_events WHERE published AND day = '2026-01-08' ORDER BY 1")
    assert sorted({row[0] for row in published}) == [row[0] for row in events] != []
    assert len(published) == len(events) * len(SIGNAL_SCHEMAS)
    for event_id, schema, payload in published[:12]:
        assert canonical_json(lotus.json("signal", event_id, "--schema", schema)) == payload
    cues = [json.loads(payload) for _, schema, payload in published if schema == "ms-1.0"]
    assert any(one["ms_asym_absent"] == ["Z_C", "Z_U"] and one["ms_asym_components"]["Z_D"] > 0.0 for one in cues)


def test_the_payload_is_printed_as_text_and_as_json(lotus: Cli, facts: Facts) -> None:
    payload = lotus.json("signal", facts["example_event"])
    assert payload["schema_ver"] == "sigbus-1.0.0"
    assert check_signal(payload)["publication"]["published"] is True
    told = lotus.json("explain", facts["example_event"])["beliefs"]
    assert payload["braids_fired"] == [belief["braid_id"] for belief in told]
    assert json.loads(lotus("signal", facts["example_event"]).stdout) == payload


def test_an_unpublished_event_has_its_record_only(lotus: Cli) -> None:
    ((event_id,),) = rows(lotus, "SELECT event_id FROM signal_events WHERE NOT published ORDER BY 1 LIMIT 1")
    assert lotus.json("signal", event_id)["publication"]["published"] is False
    assert "was not published" in lotus.refused("signal", event_id, "--schema", "ms-1.0")
    assert "0" * 32 in lotus.refused("signal", "0" * 32)


def test_what_the_daemon_published_is_shown_before_its_day_is_computed(lotus: Cli) -> None:
    ((event_id, payload),) = rows(
        lotus, "SELECT event_id, payload FROM live_signals WHERE schema_ver = 'ms-1.0' ORDER BY 1 LIMIT 1"
    )
    with opened(lotus) as (sig, settings):
        sig.execute("DELETE FROM signal_events WHERE event_id = %s", [event_id])
        assert payload_of(sig, settings, event_id, "ms-1.0") == json.loads(payload)
        sig.execute("DELETE FROM live_signals WHERE event_id = %s", [event_id])
        with pytest.raises(LedgerError, match=event_id):
            payload_of(sig, settings, event_id, "ms-1.0")
