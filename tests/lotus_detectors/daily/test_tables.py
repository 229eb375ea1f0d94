"""Tables of a day as JSON: the same after a round trip, another version is refused."""

from dataclasses import replace

import pytest

from lotus.detectors.daily.tables import tables_from_json, tables_to_json
from lotus.errors import SchemaError


def test_json_round_trip_and_version(chain) -> None:
    for tables in (chain.tables[0], chain.tables[12]):
        raw = tables_to_json(tables)
        assert tables_from_json(raw) == tables
        assert replace(tables, day="2031-01-01").tables_ver == tables.tables_ver
        with pytest.raises(SchemaError):
            tables_from_json(raw.replace(b'"tau_pub":[0', b'"tau_pub":[1', 1))
    assert len({t.tables_ver for t in chain.tables}) == 13
