"""`python -m lotus_desk.watch`: the watchdog as a process of its own, as the daemon starts it."""

import logging

from lotus.errors import LotusError
from lotus_desk.watch.kept_settings import watched_settings
from lotus_desk.watch.running import run_watchdog
from lotus_store.logs import begin_logging
from lotus_store.settings.sections import LogSettings


def main() -> int:
    """Watch the home of the environment; return 0, or 3 after an error that is explained."""
    begin_logging(LogSettings())  # to report settings that cannot be read
    try:
        settings = watched_settings()
        begin_logging(settings.logs)
        run_watchdog(settings)
    except LotusError as error:
        logging.getLogger("lotus_desk.watch").error("%s", error)
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
