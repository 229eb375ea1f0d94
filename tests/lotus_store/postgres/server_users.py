"""Processes that use the embedded server of a home."""

import os
from pathlib import Path

USER = """
import sys, time, psycopg
from lotus_store.postgres.embedded import embedded
with embedded(sys.argv[1]) as server:
    with psycopg.connect(server.server_dsn, autocommit=True) as c:
        c.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        print("ready", flush=True)
        n = 0
        while True:
            n += 1
            c.execute("INSERT INTO kept VALUES (%s)", [n])
            print(n, flush=True)
            time.sleep(0.002)
"""


def server_processes(home: Path) -> list[int]:
    """Every process that works on this home: the supervisor by its arguments, the server by its folder."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "cmdline").read_bytes().decode()
                if str(home) in words and int(place.name) != os.getpid():
                    found.append(int(place.name))
            except (OSError, UnicodeDecodeError):
                continue
    return found
