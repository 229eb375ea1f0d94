"""The real Freqtrade with examples/freqtrade_beside_lotus.py: lessons of a home, over the windows that its pages give.

The pages are the console over a ledger with the windows of a day; the version in force and its tables are exported as
`lotus export lessons` does it. `environments.py` builds what Freqtrade needs.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from bot_worlds import ROOT, START, candles, python_of
from free_port import free_port
from freqtrade_runs import Freqtrade
from lessons_of import draws

from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import scored_detectors
from lotus.hashing import natural_id
from lotus.manifest import Manifest
from lotus.priors.compiled import caps_of, compile_priors
from lotus.priors.types import ActiveBraid, Literal, Patch, PriorsVersion, Rule, priors_version
from lotus.priors.vocabulary import BIN_COLUMNS, NULL_BIN
from lotus.timebase import DAY_MS, day_of
from lotus_console.access.door import Door, Entry, hosts_of
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_console.server import console
from lotus_lab.export.home import home_data, kernel_advice
from lotus_lab.export.render import rendered
from lotus_lab.randomiser.chance import tilted
from lotus_store.config import Settings
from lotus_store.databases import Databases
from tests.lotus_console.sown import put

DETECTOR, TOKEN = "sweep_stall_reversal", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PAIR, COIN = "BTC/USDT:USDT", "BTC"
STRATEGY = ROOT / "examples" / "freqtrade_beside_lotus.py"
DAY_START_MS = int(START.timestamp() * 1000) + DAY_MS
CANDLE_MS, GAP = 300_000, range(100, 110)  # candles without a window
THETA1 = 0.3


@pytest.fixture(autouse=True)
def environment() -> None:
    """Skip where Freqtrade's environment does not stand."""
    python_of("freqtrade")


def beliefs() -> PriorsVersion:
    """Return a version whose rules act on the volatility's bins."""
    span = DAY_START_MS, DAY_START_MS + 5 * DAY_MS
    rules = [(Literal(0, 3, 4), Patch(-0.12, 1.06)), (Literal(0, 0, 1), Patch(0.12, 0.95))]
    braids = [
        ActiveBraid(f"{k:032x}", "micro", DETECTOR, 300, Rule.of(literal), patch, (), *span)
        for k, (literal, patch) in enumerate(rules)
    ]
    return priors_version("main", DAY_START_MS, tuple(braids))


def sow(databases: Databases, manifest: Manifest) -> dict[int, tuple[int, list[int]]]:
    """Store a window that ends with each candle of a day; return side and bins by its end."""
    rng, out = np.random.default_rng(3), {}
    version = next(d.version for d in scored_detectors(manifest) if d.detector_id == DETECTOR)
    with databases.owner("sig", autocommit=True) as sig:
        sig.execute("SELECT signal_partitions(%s)", [day_of(DAY_START_MS)])
        for k in set(range(1, 288)) - set(GAP):
            end, side = DAY_START_MS + CANDLE_MS * k, int(rng.choice([-1, 1]))
            bins = [int(x) for x in rng.integers(0, 5, len(BIN_COLUMNS))]
            start = end - manifest.kernel.window_ms
            put(
                sig, "signal_events", branch="main", day=day_of(start), asset=COIN, detector_id=DETECTOR,
                event_id=natural_id("main", DETECTOR, version, COIN, start), spec_version=version, s=0.4 * side,
                window_start_ms=start, window_end_ms=end, theta1=THETA1, **dict(zip(BIN_COLUMNS, bins, strict=True)),
            )  # fmt: skip
            out[end] = side, bins
    return out


@contextmanager
def pages(settings: Settings) -> Iterator[str]:
    """Serve the console of a home on loopback."""
    port = free_port()
    with ReadingDatabases(settings) as databases:
        app = Door(console(HomeReading(settings, databases.open())), Entry(port, TOKEN, hosts_of(port, "x.localhost")))
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(20)


@pytest.mark.process("a backtest of Freqtrade in its own environment, beside the console")
def test_lessons_of_a_home_move_a_bot_that_reads_its_windows(
    databases: Databases, settings: Settings, tmp_path: Path
) -> None:
    manifest, version = settings.manifest, beliefs()
    windows = sow(databases, manifest)
    tables = day_tables(day_of(DAY_START_MS), [], manifest, manifest.universe, scored_detectors(manifest))
    bot = Freqtrade(tmp_path / "bot", (PAIR,), STRATEGY, "BesideLotus")
    bot.write({PAIR: candles(1, 4)})
    data = home_data(version, tables, manifest, {}, valid_days=1)
    (bot.strategies / "lotus_lessons.py").write_text(rendered(data, "freqtrade"), "utf-8")
    with pages(settings) as place:
        given = {"log": str(bot.log), "pages": place, "token": TOKEN}
        first, last = (day_of(DAY_START_MS + k * DAY_MS).replace("-", "") for k in (0, 1))
        _, text = bot.backtest(f"{first}-{last}", lotus=given)
        assert text.count("within a minute; likely cause: no daemon runs") >= len(GAP) // 2, "no entry without a window"
    logged = draws(bot.journal)
    assert 40 < len(logged) < len(windows)
    compiled, caps = compile_priors(version, [DETECTOR]), caps_of(manifest.weave)
    temperature = data["detectors"][DETECTOR]["temperature"]
    moved = set()
    for row in logged.itertuples():
        end = int(row.ts.timestamp() * 1000)
        side, bins = windows[end]
        assert row.x_side == ("long" if side > 0 else "short"), "on the side of the window alone"
        own = np.array([*bins, NULL_BIN], np.uint8)
        tilt = kernel_advice(compiled, 0, own, THETA1, end, caps, temperature, manifest)[0]
        assert row.p == pytest.approx(tilted(0.5, tilt), abs=1e-12), "as the kernels of the daemon have it"
        moved.add(round(tilt, 6))
    assert len(moved) == 3, "raised, lowered, untouched"
    assert logged["act"].any()

    with pages(settings) as place:
        given = {"log": str(bot.log.with_name("refused.parquet")), "pages": place, "token": "1" + TOKEN[1:]}
        _, text = bot.backtest(f"{first}-{last}", lotus=given)
    assert "does not answer: HTTP Error 4" in text
    assert draws(bot.log.with_name("refused.parquet.journal")).empty, "who is not let in trades nothing"
