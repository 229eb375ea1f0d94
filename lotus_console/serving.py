"""The console's server behind its door."""

from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.server import console
from lotus_store.config import Settings
from lotus_venues.bounded_http import run_bounded
from lotus_venues.listening import LOOPBACK
from lotus_venues.page_access import AccessMiddleware


def serve(settings: Settings, port: int, token: str, dagster_url: str = "") -> None:
    """Serve a home's pages on a port of loopback until a signal comes, to those who show the token."""
    with ReadingDatabases(settings) as databases:
        app = console(HomeReading(settings, databases.open(), dagster_url))
        run_bounded(AccessMiddleware(app, port, token), host=LOOPBACK, port=port, access_log=False, log_level="warning")
