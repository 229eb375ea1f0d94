"""`python -m lotus_live [URL]`: the daemon as a process of its own, as the supervisor and the resource start it.

With `--day` it trades a stored day instead: at a local exchange whose tape waits for the desk, or on paper where
lotus.toml says so.
"""

import argparse
import logging
import sys
from dataclasses import replace

from lotus.errors import ConfigError, LotusError
from lotus_desk.accounts.paper import PAPER
from lotus_live.feed.tape_file import TapeDay
from lotus_live.live import LOCAL, OFF, run_live
from lotus_live.shards.share import parse_share
from lotus_store.config import load_settings
from lotus_store.logs import begin_logging
from lotus_store.private import private_process
from lotus_store.settings.sections import LogSettings
from lotus_store.tape.store import TapeStore
from lotus_venues.replay_server import ReplayPlan


def main(arguments: list[str]) -> int:
    """Run until a signal, trading where lotus.toml names a venue; return 0, or 3 after an error that is explained."""
    parser = argparse.ArgumentParser(prog="python -m lotus_live", description=__doc__)
    parser.add_argument("url", nargs="?", default="")
    parser.add_argument("--tape")
    parser.add_argument("--branch")
    parser.add_argument("--day", default="", help="a stored day to trade, YYYY-MM-DD")
    parser.add_argument("--speed", type=float, default=0.0, help="times the pace of the recording; 0: in step")
    parser.add_argument("--venues", type=int, choices=(1, 2), help="exchanges that play the day (lotus.toml)")
    parser.add_argument("--shard", default="", help="publish for one shard of the universe, K/N, and trade nothing")
    asked = parser.parse_args(arguments)
    with private_process():
        return _run(asked)


def _run(asked: argparse.Namespace) -> int:
    try:
        begin_logging(LogSettings())  # to report settings that cannot be read
        settings = load_settings(tape=asked.tape, branch=asked.branch)
        begin_logging(settings.logs)
        share = parse_share(asked.shard) if asked.shard else None
        if asked.day and share is not None:
            raise ConfigError(f"shard {share.name} of a stored day", "--day or --shard", "shards trade nothing")
        if asked.day:
            venue = PAPER if settings.trading.venue == PAPER else LOCAL
            exchanges = asked.venues or settings.trading.exchanges
            settings = replace(settings, trading=replace(settings.trading, venue=venue, exchanges=exchanges))
            day = TapeDay(TapeStore(settings.home, settings.tape, settings.segments_url), asked.day)
            run_live(
                settings,
                day,
                plan=ReplayPlan(speed=asked.speed),
                run_id=f"trade-{settings.branch}-{asked.day}",
                trade=True,
            )
        else:
            trade = settings.trading.venue != OFF and share is None
            run_live(settings, asked.url, trade=trade, share=share)
    except LotusError as error:
        logging.getLogger("lotus_live").error("%s", error)
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
