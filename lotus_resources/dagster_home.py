"""Where Dagster of a home finds its things: its folder, the address of its database, the environment of its processes.

Dagster itself is not imported here, so that its processes can be started before that has been done.
"""

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.files import write_bytes
from lotus_store.private import SAFE_PATH

DSN_ENV = "LOTUS_DAGSTER_PG"  # SQLAlchemy URL of the `dagster` database, scheme postgresql+psycopg2
BATCH_ENV, EVENTS_TOGETHER = (
    "DAGSTER_EVENT_BATCH_SIZE",
    1000,
)  # of Dagster: so many that come together are stored at once
TEMPLATE = Path(__file__).resolve().parent / "dagster.yaml"  # in a checkout a link
FLEET = TEMPLATE.parent / "fleet" / "dagster.yaml"  # what a fleet adds to it
_SLOTS = b"max_concurrent_runs: 2"


def sqlalchemy_url(conninfo: str) -> str:
    """Return a libpq address (keyword or URL form) as the SQLAlchemy URL that dagster-postgres needs.

    >>> sqlalchemy_url("host=/run/pg port=5432 user=lotus dbname=lotus_dagster")
    'postgresql+psycopg2://lotus@:5432/lotus_dagster?host=%2Frun%2Fpg'
    """
    words = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
    host, port = words.pop("host", ""), words.pop("port", "")
    if host.startswith("/"):
        words["host"], host = host, ""
    url = URL.create(
        "postgresql+psycopg2",
        username=words.pop("user", None),
        password=words.pop("password", None),
        host=host or None,
        port=int(port) if port else None,
        database=words.pop("dbname", None),
        query=words,
    )
    return url.render_as_string(hide_password=False)


def dagster_home(settings: Settings) -> Path:
    """Write `dagster.yaml` into the home's Dagster folder and return the folder (DAGSTER_HOME)."""
    folder = settings.home / "dagster"
    target, text, slots = folder / "dagster.yaml", TEMPLATE.read_bytes(), settings.fleet.slots
    if slots:
        text = text.replace(_SLOTS, f"max_concurrent_runs: {slots}".encode()) + FLEET.read_bytes()
    if not target.exists() or target.read_bytes() != text:
        write_bytes(target, text)
    return folder


def dagster_environment(settings: Settings, databases: Databases) -> dict[str, str]:
    """Return the environment (DAGSTER_HOME, address) for Dagster processes of this home, whose folder is made.

    Raises `LedgerError` when Dagster's address is that of a Lotus database.
    """
    databases.set_dagster_apart()
    environment = {
        "DAGSTER_HOME": str(dagster_home(settings)),
        DSN_ENV: sqlalchemy_url(databases.dsn("dagster")),
        BATCH_ENV: str(EVENTS_TOGETHER),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        SAFE_PATH: "1",
        "LOTUS_HOME": str(settings.home),
        "LOTUS_BRANCH": settings.branch,
        "LOTUS_TAPE": settings.tape,
    }
    if settings.config is not None:
        environment["LOTUS_CONFIG"] = str(settings.config)
    return environment
