"""The console's process of one `lotus up`: it serves its pages as soon as the databases are there."""

import sys
from typing import Final
from urllib.parse import urlsplit

from lotus_resources.pages import TOKEN_ENV
from lotus_resources.processes import Processes
from lotus_store.config import Settings

CONSOLE_ENV: Final = "LOTUS_CONSOLE_URL"  # where the console of this `lotus up` is; absent elsewhere
PYTHON: Final = (sys.executable, "-P", "-m", "lotus_console")


def begin_console(children: Processes, settings: Settings, url: str, token: str, dagster_url: str) -> None:
    """Start the console of a home at its address on loopback, behind the token."""
    environment = {
        "LOTUS_HOME": str(settings.home),
        "LOTUS_BRANCH": settings.branch,
        "LOTUS_TAPE": settings.tape,
        "LOTUS_DAGSTER_URL": dagster_url,
        TOKEN_ENV: token,
    }
    children.start("console", [*PYTHON, "-p", str(urlsplit(url).port)], environment)
