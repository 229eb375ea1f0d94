"""The console's server behind its door."""

from lotus_console.access.door import Door, Entry
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.server import console
from lotus_store.config import Settings
from lotus_venues.bounded_http import run_bounded
from lotus_venues.listening import LOOPBACK


def serve(settings: Settings, entry: Entry, address: str = LOOPBACK) -> None:
    """Serve a home's pages at an address until a signal comes, to those whom the door lets in.

    A header never changes whom uvicorn takes for the client: the door alone believes a proxy.
    """
    with ReadingDatabases(settings) as databases:
        app = console(HomeReading(settings, databases.open(), entry.dagster_url))
        run_bounded(
            Door(app, entry), host=address, port=entry.port, access_log=False, log_level="warning", proxy_headers=False,
            server_header=False,
        )  # fmt: skip
