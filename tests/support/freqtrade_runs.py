"""A folder of Freqtrade's own with candles and a strategy, and its real commands run on it in its environment."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from bot_worlds import ROOT, python_of

STRATEGY = ROOT / "examples" / "freqtrade_breakout.py"
_PRICING = {"price_side": "other", "use_order_book": True, "order_book_top": 1, "price_last_balance": 0.0}


@dataclass(frozen=True)
class Freqtrade:
    """Its folder, the pairs that it trades, and its strategy's file and name."""

    folder: Path
    pairs: tuple[str, ...]
    source: Path = STRATEGY
    name: str = "Breakout"

    @property
    def strategies(self) -> Path:
        """Where strategies lie, and lessons beside them."""
        return self.folder / "strategies"

    @property
    def log(self) -> Path:
        """The randomiser's log."""
        return self.folder / "logs" / "breakout.parquet"

    @property
    def journal(self) -> Path:
        """What it writes at once."""
        return self.log.with_name(f"{self.log.name}.journal")

    def write(self, candles: Mapping[str, pd.DataFrame], strategy: str = "") -> None:
        """Write candles as `freqtrade download-data` stores them, the strategy, and the configuration."""
        data = self.folder / "data" / "binance" / "futures"
        for place in (data, self.strategies, self.log.parent):
            place.mkdir(parents=True, exist_ok=True)
        for pair, frame in candles.items():
            name = pair.replace("/", "_").replace(":", "_")
            hours = frame.iloc[::12]
            none = hours.assign(open=0.0, high=0.0, low=0.0, close=0.0, volume=0.0)
            for kind, table in (("5m-futures", frame), ("1h-mark", hours), ("1h-funding_rate", none)):
                table.assign(date=table["date"].dt.as_unit("ms")).to_feather(data / f"{name}-{kind}.feather")
        (self.strategies / self.source.name).write_text(strategy or self.source.read_text("utf-8"), "utf-8")
        (self.folder / "markets.json").write_text(json.dumps(self.pairs))
        self.configure()

    def configure(self, **more: Any) -> Path:
        """Write the configuration, and return its path."""
        settings = {
            "strategy": self.name, "trading_mode": "futures", "margin_mode": "isolated", "max_open_trades": -1,
            "stake_currency": "USDT", "stake_amount": 100, "dry_run": True, "dry_run_wallet": 10_000, "fee": 0.0004,
            "exchange": {"name": "binance", "pair_whitelist": list(self.pairs), "enable_ws": False},
            "pairlists": [{"method": "StaticPairList"}], "entry_pricing": _PRICING, "exit_pricing": _PRICING,
            "user_data_dir": str(self.folder), "initial_state": "running", "internals": {},
            "unfilledtimeout": {"entry": 10, "exit": 10, "unit": "minutes"}, "lotus": {"log": str(self.log)}, **more,
        }  # fmt: skip
        path = self.strategies / "config.json"
        path.write_text(json.dumps(settings))
        return path

    def backtest(self, days: str, **more: Any) -> tuple[Path, str]:
        """Run `freqtrade backtesting` on days like 20250106-20250127; return its result and what it logged.

        `more` are settings of its configuration.
        """
        results = self.folder / "backtest_results"
        shutil.rmtree(results, ignore_errors=True)
        done = self._run(
            "run_freqtrade.py", str(self.folder / "markets.json"), "backtesting", "--strategy", self.name, "--config",
            str(self.configure(**more)), "--userdir", str(self.folder), "--export", "trades", "--cache", "none",
            "--timerange", days,
        )  # fmt: skip
        made = sorted(results.glob("backtest-result-*.zip"))
        assert len(made) == 1, done
        return made[0], done

    def paper(self, candles: Path, turns: int, database: Path) -> tuple[list[dict[str, Any]], str]:
        """Let its bot turn on paper; return its trades and what it logged."""
        config = self.configure(db_url=f"sqlite:///{database}")
        done = self._run("dry_run_freqtrade.py", str(config), str(candles), str(turns))
        line = next(x for x in done.splitlines() if x.startswith('{"trades"'))
        trades: list[dict[str, Any]] = json.loads(line)["trades"]
        return trades, done

    def fails(self, *words: str) -> str:
        """Run a command of Freqtrade that has to fail, and return what it said."""
        return self._run("run_freqtrade.py", str(self.folder / "markets.json"), *words, wanted=False)

    def _run(self, script: str, *words: str, wanted: bool = True) -> str:
        command = [str(python_of("freqtrade")), str(ROOT / "tests" / "bots" / script), *words]
        environment = {  # of its own: it logs nothing where it finds the variables of pytest
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.folder), "COLUMNS": "400"
        }  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        text = done.stdout + done.stderr
        assert (done.returncode == 0) == wanted, text[-4000:]
        return text
