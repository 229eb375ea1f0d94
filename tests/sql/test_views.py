"""Views of `sql/sig/schema.sql` for readers: what is active and in force follows from the rows, and readers see it."""

import json

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from lotus_store.databases import Databases
from lotus_store.postgres.queries import MODULES


def braid(c: psycopg.Connection[tuple[object, ...]], name: str, day: str, state: str, lesson: str) -> None:
    body = {"braid_type": "micro", "detector_id": "d", "lesson_id": lesson, "grade": "A", "parents": ["p"],
            "effective_from_ms": 5, "expires_at_ms": 9, "patch": {"theta_delta": -0.05}, "rule": {}}  # fmt: skip
    c.execute(
        "INSERT INTO braid_history (branch, day, braid_id, old_state, new_state, reason, priors_before, priors_after, "
        "body) VALUES ('main', %s, %s, 'proposed', %s, 'r', 'a', 'b', %s)",
        [day, name, state, json.dumps(body)],
    )


def test_active_braids_and_their_lessons(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for lesson in ("l1", "l2"):
            body = json.dumps({"detector_id": "d", "horizon_s": 30, "grade": "A", "uplift_bps": 1.5, "lcb_bps": 0.5})
            c.execute("INSERT INTO lessons VALUES ('main', '2025-01-01', %s, %s)", [lesson, body])
            c.execute("INSERT INTO lessons VALUES ('other', '2025-01-01', %s, %s)", [lesson, body])
        braid(c, "stays", "2025-01-01", "active", "l1")
        braid(c, "ended", "2025-01-01", "active", "l2")
        braid(c, "ended", "2025-01-02", "sunset", "l2")
        assert c.execute("SELECT braid_id, lesson_id, patch FROM v_braids_active").fetchall() == [
            ("stays", "l1", {"theta_delta": -0.05})
        ]
        found = c.execute(
            "SELECT branch, lesson_id, uplift_bps, braid_id, expires_at_ms FROM v_lessons_active"
        ).fetchall()
        assert found == [("main", "l1", 1.5, "stays", 9)]
        c.rollback()


def test_priors_are_effective_until_the_next_swap(databases: Databases) -> None:
    with databases.connect("sig") as c:
        for branch, ver, at in (("main", "v1", 10), ("main", "v2", 20), ("other", "v1", 15)):
            body = json.dumps({"braids": [ver]})
            c.execute("INSERT INTO active_priors VALUES (%s, %s, '2025-01-01', %s, 'v0', %s)", [branch, ver, at, body])
            c.execute("INSERT INTO priors_in_force VALUES (%s, '2025-01-02', %s, %s, 'e')", [branch, ver, at])
        rows = c.execute(
            "SELECT branch, priors_ver, effective_from_ms, until_ms, braids FROM v_effective_priors ORDER BY 1, 3"
        ).fetchall()
        assert rows == [
            ("main", "v1", 10, 20, ["v1"]),
            ("main", "v2", 20, None, ["v2"]),
            ("other", "v1", 15, None, ["v1"]),
        ]
        c.rollback()


@pytest.mark.parametrize("module", MODULES)
def test_strands_have_one_form_that_a_reader_sees(databases: Databases, module: str) -> None:
    with databases.connect(module) as c:
        c.execute(f"INSERT INTO {module}_strand (id, lifecycle_id, kind) VALUES ('a', 'l', 'k')")  # type: ignore[call-overload]
    with psycopg.connect(make_conninfo(databases.owner_dsn(module), user="lotus_console")) as c:
        row = c.execute("SELECT id, lifecycle_id, module, kind, own FROM v_strands").fetchone()
    assert row is not None
    assert row[:4] == ("a", "l", module, "k")
    own = {"sig": "sig_sigma", "dm": "dm_alpha", "tr": "tr_predict", "vis": "hint"}[module]
    assert own in dict(row[4])
    assert "created_at" not in dict(row[4])
