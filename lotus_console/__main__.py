"""`python -m lotus_console -p PORT`: the console of a home as `lotus up` starts it.

LOTUS_PAGES_TOKEN is what an owner shows, LOTUS_DAGSTER_URL where Dagster's pages are; home and branch stand in the
environment too.
"""

import os
import sys
from typing import Final

from lotus.loopback import check_token
from lotus_console.access.door import Entry, hosts_of
from lotus_console.serving import serve
from lotus_store.config import load_settings
from lotus_store.logs import begin_logging
from lotus_store.private import name_of_home

TOKEN_ENV: Final = "LOTUS_PAGES_TOKEN"
DAGSTER_ENV: Final = "LOTUS_DAGSTER_URL"


def main() -> None:
    """Serve until a signal comes."""
    token, port = os.environ.pop(TOKEN_ENV), int(sys.argv[sys.argv.index("-p") + 1])
    check_token(token, TOKEN_ENV)
    settings = load_settings()
    begin_logging(settings.logs)
    hosts = hosts_of(port, name_of_home(settings.home))
    serve(settings, Entry(port, token, hosts, dagster_url=os.environ.get(DAGSTER_ENV, "")))


if __name__ == "__main__":
    main()
