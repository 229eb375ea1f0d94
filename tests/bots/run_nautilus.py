"""NautilusTrader in its own environment without a network: `python run_nautilus.py FOLDER BARS.parquet REPORT.csv`.

FOLDER holds the strategy (and lessons); bars become its catalogue, the run streams its events into it, which are then
made a part of its data, and its report of positions is written as CSV. Any connection to another machine is an error.
"""

import socket
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from nautilus_trader.backtest.node import BacktestNode
from nautilus_trader.config import (
    BacktestDataConfig,
    BacktestEngineConfig,
    BacktestRunConfig,
    BacktestVenueConfig,
    ImportableStrategyConfig,
    LoggingConfig,
    StreamingConfig,
)
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.events import PositionClosed
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider


def refuse(_: socket.socket, address: object) -> None:
    """Let nothing out."""
    raise OSError(f"no network in this test: {address}")


def catalogue(place: Path, bars: Path) -> tuple[ParquetDataCatalog, Any, BarType]:
    """Write an instrument and its bars, stamped at their close, and return where, what and of which type."""
    instrument = TestInstrumentProvider.btcusdt_perp_binance()
    kind = BarType.from_str(f"{instrument.id}-5-MINUTE-LAST-EXTERNAL")
    frame = pd.read_parquet(bars)
    frame.index = pd.DatetimeIndex(frame.pop("date")) + pd.Timedelta(minutes=5)
    catalog = ParquetDataCatalog(str(place))
    catalog.write_data([instrument])
    catalog.write_data(BarDataWrangler(kind, instrument).process(frame))
    return catalog, instrument, kind


def main(folder: Path, bars: Path, report: Path) -> None:
    """Run the strategy over the bars."""
    sys.path.insert(0, str(folder))
    socket.socket.connect = refuse  # type: ignore[assignment, method-assign]
    place = folder / "catalog"
    _, instrument, kind = catalogue(place, bars)
    strategy = ImportableStrategyConfig(
        strategy_path="nautilus_breakout:Breakout", config_path="nautilus_breakout:BreakoutConfig",
        config={"bar_type": str(kind), "trade_size": "0.5", "log": str(folder / "breakout.parquet")},
    )  # fmt: skip
    run = BacktestRunConfig(
        engine=BacktestEngineConfig(
            strategies=[strategy], logging=LoggingConfig(log_level="WARNING"),
            streaming=StreamingConfig(catalog_path=str(place)),
        ),
        venues=[BacktestVenueConfig(
            name="BINANCE", oms_type="NETTING", account_type="MARGIN", starting_balances=["1000000 USDT"],
        )],
        data=[BacktestDataConfig(catalog_path=str(place), data_cls=Bar, bar_types=[str(kind)])],
        raise_exception=True,
    )  # fmt: skip
    node = BacktestNode([run])
    node.run()
    positions = node.get_engine(run.id).trader.generate_positions_report()
    positions.to_csv(report)
    if len(positions):
        run_name = str(node.get_engine(run.id).kernel.instance_id)
        ParquetDataCatalog(str(place)).convert_stream_to_data(run_name, PositionClosed)
    node.dispose()
    print(f"{len(positions)} positions of {instrument.id}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
