"""`python -m lotus_live [URL]`: the daemon as a process of its own, as the supervisor and the resource start it."""

import sys

from lotus.errors import LotusError
from lotus_live.live import run_live
from lotus_store.config import load_settings


def main(arguments: list[str]) -> int:
    """Run until a signal, trading where lotus.toml names a venue; return 0, or 3 after an error that is explained."""
    try:
        settings = load_settings()
        run_live(settings, arguments[0] if arguments else "", trade=settings.trading.venue != "off")
    except LotusError as error:
        print(f"lotus_live: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
