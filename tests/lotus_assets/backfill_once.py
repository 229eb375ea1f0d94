"""Run one backfill of the tiny world in a process of its own, to be killed by the test: HOME SERVER_DSN FIRST LAST."""

import sys
from dataclasses import replace
from pathlib import Path

from conftest import tiny_manifest

from lotus_assets.backfill import backfill
from lotus_store.config import Settings


def main(home: str, server_dsn: str, first: str, last: str) -> None:
    """Backfill, saying "ready" before the first stage."""
    settings = replace(Settings(Path(home)), server_dsn=server_dsn, tape="tiny", manifest=tiny_manifest())
    print("ready", flush=True)
    backfill(settings, first, last, lambda text: print(text, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
