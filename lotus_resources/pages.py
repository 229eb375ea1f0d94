"""Dagster's pages behind a door of ours: `python -m lotus_resources.pages -p PORT ...` is `dagster-webserver` with it.

Dagster's own server asks nobody who he is, answers to any Host and takes changes by GET, so that a page in a browser on
the same machine could command it. Who may enter is `lotus_venues.page_access`; slow and many clients are bounded
(`lotus_venues.bounded_http`).
"""

import os
import sys
from typing import Final

from lotus_venues.bounded_http import run_bounded
from lotus_venues.page_access import AccessMiddleware

TOKEN_ENV: Final = "LOTUS_PAGES_TOKEN"


def main() -> None:
    """Serve Dagster's pages with the arguments of `dagster-webserver`; the token stands in the environment."""
    from lotus_resources.dagster_internals import serve_pages

    token, port = os.environ.pop(TOKEN_ENV), int(sys.argv[sys.argv.index("-p") + 1])
    serve_pages(lambda app: AccessMiddleware(app, port, token), run_bounded)


if __name__ == "__main__":
    main()
