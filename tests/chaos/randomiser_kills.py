"""A bot that draws and fills is killed again and again: no row is lost or doubled, and it ends like an undisturbed one.

`python tests/chaos/randomiser_kills.py --kills 200 [--seed 1]`. The bot asks one question after the other, tells its
parent of every draw that was returned, fills what acted, and now and then closes the log. It is killed with SIGKILL
at a random moment after a random number of answers, also while it opens its log or writes Parquet, and is started again
with the question it last answered.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import pyarrow as pa

from lotus_lab.randomiser.events import OwnDraw, table_of_log
from lotus_lab.randomiser.randomiser import Randomiser

START_MS, STEP_MS, HORIZON_S = 1_736_121_600_000, 47_000, 60
ASSETS = ("BTC", "ETH", "SOL")
_STEP_S, _OPENING_S = 0.003, 1.0


def ask(bot: Randomiser, k: int) -> OwnDraw:
    """Ask the k-th question, the same in every life of the bot."""
    x = random.Random(k)
    return bot.draw(
        "signal", ASSETS[k % 3], ts=START_MS + k * STEP_MS, horizon_s=HORIZON_S, chance=x.random(), size=2.0,
        x_a=x.gauss(0, 1), x_b="calm" if x.random() < 0.5 else "wild",
    )  # fmt: skip


def settle(bot: Randomiser, draw: OwnDraw) -> None:
    """Fill what acted, from where it stands; every fifth is not filled at all."""
    if draw.row % 5 == 0:
        bot.unfilled(draw)
        return
    x = random.Random(1000 + draw.row)
    trades = [("buy", 100.0 + x.random(), 1.5), ("sell", 100.0 + x.random(), 1.0), ("sell", 100.0 + x.random(), 0.5)]
    for side, price, size in trades[len(bot.fills_of(draw)) :]:
        bot.fill(draw, side, price, size, fee_bps=1.0)


def live(log: Path, first: int, last: int, tell: Callable[[str], object]) -> None:
    """Ask questions from `first` on, and tell of each; close the log every 40 of them."""
    bot = Randomiser(log, key="kills", budget=600)
    for draw in bot.open:
        settle(bot, draw)
    for k in range(first, last):
        draw = ask(bot, k)
        tell(f"{k} {draw.row} {int(draw.act)} {draw.propensity!r}")
        if draw in bot.open:  # not when it was answered and settled in a life before
            settle(bot, draw)
        if k % 40 == 39:
            bot.close()
            bot = Randomiser(log, key="kills", budget=600)
    bot.close()
    tell("done")


def killed(log: Path, kills: int, seed: int, each: int = 60) -> list[tuple[int, int, str, str]]:
    """Let the bot live `kills` + 1 times; return every answer that any life told: question, row, act, propensity."""
    chance, answers = random.Random(seed), list[tuple[int, int, str, str]]()
    last = kills * each // 2
    for life in range(kills + 1):
        first = answers[-1][0] if answers else 0  # asked again: the bot does not know whether it was answered
        command = [sys.executable, __file__, "--live", str(log), str(first), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bot:
            assert bot.stdout is not None
            goal = chance.randrange(0, each) if life < kills else 10**9
            lines = list(islice(bot.stdout, goal))
            if life < kills:
                time.sleep(chance.random() * (_STEP_S if goal else _OPENING_S))  # anywhere in what it does meanwhile
                bot.send_signal(signal.SIGKILL)
            lines += bot.stdout.readlines()
            code = bot.wait()
        done = lines[-1:] == ["done\n"]
        assert code == -signal.SIGKILL or (done and code == 0), "the bot failed"
        told = (line.split() for line in (lines[:-1] if done else lines))
        answers += [(int(k), int(row), act, p) for k, row, act, p in told]
        if done:
            return answers
    return answers


def check(log: Path, undisturbed: Path, answers: Sequence[tuple[int, int, str, str]]) -> pa.Table:
    """Return the table of a log that was killed, if it is that of the undisturbed one and holds every answer."""
    last = max(k for k, *_ in answers) + 1
    live(undisturbed, 0, last, str)
    got, wanted = table_of_log(log), table_of_log(undisturbed)
    assert got.column("row").to_pylist() == list(range(len(got))), "no row is lost or doubled"
    assert got.equals(wanted), "it ends like an undisturbed one"
    by_question: dict[int, tuple[int, str, str]] = {}
    for k, *answer in answers:
        assert by_question.setdefault(k, tuple(answer)) == tuple(answer), "asked again, the answer is the same"  # type: ignore[arg-type]
    told = {row: (bool(int(act)), float(p)) for row, act, p in by_question.values()}
    kept = {
        x["row"]: (x["published"], x["propensity"]) for x in got.select(["row", "published", "propensity"]).to_pylist()
    }
    assert all(kept.get(row, answer) == answer for row, answer in told.items())
    return got


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the kills and print what was held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", nargs=3)
    options = parser.parse_args(arguments)
    if options.live:
        live(Path(options.live[0]), int(options.live[1]), int(options.live[2]), partial(print, flush=True))
        return 0
    with tempfile.TemporaryDirectory() as place:
        log, other = Path(place) / "a" / "signals.parquet", Path(place) / "b" / "signals.parquet"
        answers = killed(log, options.kills, options.seed)
        table = check(log, other, answers)
        held = "none lost, none doubled, all as undisturbed"
        print(f"{options.kills} kills, {len(answers)} answers, {len(table)} rows: {held}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
