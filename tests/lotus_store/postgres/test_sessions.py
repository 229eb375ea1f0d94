"""A connection that is not a session of its own is seen, behind the pooler that people have."""

from contextlib import closing

import psycopg
from pgbouncer import bounced
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lotus_store.databases import Databases, create_missing
from lotus_store.postgres.sessions import shared_sessions


def test_sessions_are_ones_own_on_a_server_and_shared_behind_a_pooler(databases: Databases) -> None:
    facts = {key: str(value) for key, value in conninfo_to_dict(databases.owner_dsn("sig")).items()}
    with (
        closing(databases.owner("sig", autocommit=True)) as one,
        closing(databases.owner("sig", autocommit=True)) as two,
    ):
        assert shared_sessions(one, two) == ""
    with bounced(facts["host"], facts["port"], facts["user"]) as port:
        through = make_conninfo(host="127.0.0.1", port=port, user=facts["user"], dbname=facts["dbname"])
        with psycopg.connect(through, autocommit=True) as one, psycopg.connect(through, autocommit=True) as two:
            assert shared_sessions(one, two) == "two connections in one session"


def test_an_address_without_a_database_is_asked_where_every_server_has_one(server_dsn: str) -> None:
    facts = conninfo_to_dict(server_dsn)
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS no_place")
        connection.execute("CREATE ROLE no_place LOGIN")
    nameless = make_conninfo(host=str(facts["host"]), port=str(facts["port"]), user="no_place")
    assert create_missing(nameless, ["postgres"]) is False
