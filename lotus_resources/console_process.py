"""The console's process of one `lotus up`: it serves its pages as soon as the databases are there."""

import sys
from typing import Final

from lotus.loopback import own_name
from lotus_resources.pages import TOKEN_ENV
from lotus_resources.processes import Processes
from lotus_store.config import Settings

CONSOLE_ENV: Final = "LOTUS_CONSOLE_URL"  # where the console of this `lotus up` is; absent elsewhere
PYTHON: Final = (sys.executable, "-P", "-m", "lotus_console")


def begin_console(children: Processes, settings: Settings, port: int, token: str, dagster_url: str) -> str:
    """Start the console of a home on a port of loopback, behind the token; return its address, of its own name."""
    environment = {
        "LOTUS_HOME": str(settings.home),
        "LOTUS_BRANCH": settings.branch,
        "LOTUS_TAPE": settings.tape,
        "LOTUS_DAGSTER_URL": dagster_url,
        TOKEN_ENV: token,
    }
    children.start("console", [*PYTHON, "-p", str(port)], environment)
    return f"http://{own_name(port)}:{port}"
