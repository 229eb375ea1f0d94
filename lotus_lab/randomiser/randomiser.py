"""`lab.Randomiser`: ten lines in a bot make what it does learnable.

It draws with a propensity that is settled before, writes the row down before anybody acts on it, keeps a budget of
alerts a day, and makes payoffs of fills. What the rows teach is `lab.learn`; nothing is decided or traded here.
"""

import math
import threading
from contextlib import suppress
from datetime import datetime
from operator import index
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from lotus.errors import ConfigError, SchemaError
from lotus.hashing import natural_id
from lotus_lab.randomiser.chance import tilted, uniform
from lotus_lab.randomiser.events import Cell, Ledger, OwnDraw, draws_of, journal_of, table_of_log
from lotus_lab.randomiser.journal import DRAW, FILL, HEADER, OUTCOME, PAPER, VOID, Journal
from lotus_lab.randomiser.payoffs import OwnFill
from lotus_lab.reading.cells import EPOCH_MS, unit_of

_SIDES = {"buy": 1, "sell": -1, 1: 1, -1: -1}


class Randomiser:
    """Draws, and logs what was drawn; one process writes a log, its threads may share it."""

    def __init__(self, log: str | Path, *, key: str = "", floor: float = 0.05, budget: float = math.inf) -> None:
        """Open a log or begin one; a log that a killed process left is taken up where it ended.

        `key` names the bot: the same key and questions give the same draws (default: the name of the log). `floor` is
        the least chance of either answer, `budget` the most alerts a UTC day; the budget wins over the floor. Raises
        `ConfigError` for settings that cannot be, for a log of another key, and when another process writes it.
        """
        if not 0.0 < floor < 0.5:
            raise ConfigError(f"floor is {floor}", "a chance above 0 and below one half")
        if not budget >= 0.0:
            raise ConfigError(f"budget is {budget}", "alerts a day, 0 or more")
        self.log, self.floor = Path(log), floor
        name = key or self.log.stem
        self._key = bytes.fromhex(natural_id("randomiser", name))
        self._lock = threading.Lock()
        self._past: dict[tuple[str, str, int], OwnDraw] | None = None  # all draws, once one of before is asked for
        self._journal = Journal(journal_of(self.log))
        try:
            self._ledger = Ledger.read(journal_of(self.log))
            if self._ledger.key not in ("", natural_id(name)):
                raise ConfigError(f"{self.log} was begun with another key", "the key it was begun with, or a new log")
            if not self._ledger.key:
                self._journal.append(HEADER, 1, natural_id(name))
                self._ledger.take([HEADER, 1, natural_id(name)])
        except BaseException:
            self._journal.close()
            raise
        self._pace = self._ledger.pace(budget)

    def draw(
        self,
        detector_id: str,
        asset: str,
        *,
        ts: int | datetime,
        horizon_s: int,
        chance: float,
        tilt: float = 0.0,
        size: float = 0.0,
        **features: Cell,
    ) -> OwnDraw:
        """Decide whether to act on a signal, and log it; asked again for the same time, the same draw is returned.

        `ts` is the end of the window, UTC: a time with a zone, or milliseconds since 1970; `horizon_s` the seconds
        after which the position is closed at the latest; `chance` how gladly the bot would act, 0 to 1 (0: it cannot);
        `tilt` what lessons add to its logit; `size` what would be ordered. `features` are columns x_*, the same in
        every call. Raises `SchemaError` for what cannot be; then nothing was drawn.
        """
        ts_ms = ts if type(ts) is int else _ms(ts)
        with self._lock:
            last = self._ledger.last.get((detector_id, asset))
            if last is not None and ts_ms <= last.ts_ms:
                return last if ts_ms == last.ts_ms else self._before(detector_id, asset, ts_ms)
            horizon_s, chance, tilt, size = _settings(horizon_s, chance, tilt, size)
            if not EPOCH_MS[0] <= ts_ms <= EPOCH_MS[1]:
                raise SchemaError(f"ts is {ts_ms}", "milliseconds since 1970, from 2000 to 2100", unit_of(ts_ms))
            self._ledger.check(detector_id, asset, horizon_s, features)
            wanted = 0.0 if chance == 0.0 else min(max(tilted(chance, tilt), self.floor), 1.0 - self.floor)
            p = self._pace.allowed(wanted, ts_ms)
            act = uniform(self._key, detector_id, asset, ts_ms) < p
            record = [
                DRAW, self._ledger.rows, ts_ms, asset, detector_id, horizon_s, act, p, wanted, size, features,
            ]  # fmt: skip
            self._journal.append(*record)
            self._pace.took(wanted, act)
            made = self._ledger.drawn(record)
            if self._past is not None:
                self._past[detector_id, asset, ts_ms] = made
            return made

    def fill(
        self, draw: OwnDraw | int, side: str | int, price: float, size: float, *, fee_bps: float = 0.0
    ) -> float | None:
        """Log a fill of a draw's position, and return its payoff in bps once all of it is closed.

        `side` is "buy" or "sell", of the fill; the first one is the direction. `fee_bps` of its notional, negative for
        a rebate. Raises `SchemaError` for a draw that did not act or is settled, and when more is closed than opened.
        """
        if side not in _SIDES or not (0.0 < price < math.inf and 0.0 < size < math.inf and abs(fee_bps) < 1e4):
            raise SchemaError(
                f"{side!r} {size} at {price}, fee {fee_bps} bps", "buy or sell, a price, a size, a fee in bps"
            )
        with self._lock:
            row = self._open(draw)
            fill = OwnFill(_SIDES[side], float(price), float(size), float(fee_bps))
            payoff = self._ledger.payoff_with(row, fill)
            self._write(FILL, row, *fill)
            return payoff

    def unfilled(self, draw: OwnDraw | int) -> None:
        """Say that the order of a draw was not filled at all: its payoff is 0, which is a result."""
        self.outcome(draw, 0.0)

    def outcome(self, draw: OwnDraw | int, payoff_bps: float) -> None:
        """Log the payoff of a draw that acted, bps of one unit in the signal's direction, net of cost."""
        _finite("payoff_bps", payoff_bps)
        with self._lock:
            self._write(OUTCOME, self._open(draw), float(payoff_bps))

    def paper(self, draw: OwnDraw | int, payoff_bps: float) -> None:
        """Log what a unit would have paid by a model, for draws that acted and those that did not."""
        _finite("paper payoff", payoff_bps)
        with self._lock:
            self._write(PAPER, self._ledger.row_of(_number(draw)), float(payoff_bps))

    def void(self, draw: OwnDraw | int) -> None:
        """Say that the outcome of a draw was prevented by the machine, not by the market: its row is left out."""
        with self._lock:
            self._write(VOID, self._open(draw))

    @property
    def open(self) -> tuple[OwnDraw, ...]:
        """Draws that acted and have no payoff yet, also those of a process that was killed."""
        return tuple(x.draw for x in self._ledger.open.values())

    def fills_of(self, draw: OwnDraw | int) -> tuple[OwnFill, ...]:
        """Return the fills so far of a draw that acted and has no payoff yet."""
        return tuple(self._ledger.open[self._open(draw)].fills)

    def events(self) -> pa.Table:
        """Return the rows for `lab.learn`; raises `SchemaError` as `lab.read_log` does."""
        with self._lock:
            return table_of_log(self.log)

    def close(self) -> None:
        """Write the log as Parquet, whole or not at all, and let go of it; raises `ConfigError` where there is no room.

        It ends before the first draw that acted and has no payoff though its horizon is over; the journal has all.
        """
        with self._lock:
            part = self.log.with_name(f".{self.log.name}.part")
            try:
                if self._ledger.rows:
                    pq.write_table(table_of_log(self.log, prefix=True), part)
                    part.replace(self.log)
            except OSError as error:
                with suppress(OSError):
                    part.unlink()
                found = f"{self.log} cannot be written: {error.strerror or error}"
                raise ConfigError(found, "room for it; the journal holds everything", "a full disk?") from None
            finally:
                self._journal.close()

    def __enter__(self) -> "Randomiser":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _before(self, detector_id: str, asset: str, ts_ms: int) -> OwnDraw:
        """Return the draw of a time before the last one, from the journal: a bot that was killed asks again."""
        if self._past is None:
            self._past = {(x.detector_id, x.asset, x.ts_ms): x for x in draws_of(journal_of(self.log))}
        draw = self._past.get((detector_id, asset, ts_ms))
        if draw is None:
            found = f"{detector_id} on {asset} at {ts_ms} ms, before its last draw, and never asked then"
            raise SchemaError(found, "times that rise", "candles of the past given to the log of a live bot?")
        return draw

    def _open(self, draw: OwnDraw | int) -> int:
        return self._ledger.unsettled(_number(draw))

    def _write(self, *record: object) -> None:
        self._journal.append(*record)
        self._ledger.take(list(record))


def read_log(log: str | Path) -> pa.Table:
    """Return the rows of a randomiser's log as events for `lab.learn`; a bot may go on writing meanwhile.

    Rows younger than their horizon are left out, whether they acted or not. Raises `SchemaError` when an older row that
    acted has no payoff: leaving it out would bias what is learned.
    """
    return table_of_log(Path(log))


def _number(draw: OwnDraw | int) -> int:
    return draw if isinstance(draw, int) else draw.row


def _settings(horizon_s: int, chance: float, tilt: float, size: float) -> tuple[int, float, float, float]:
    """Return them as plain numbers (a bot has those of numpy); raises `SchemaError` for what cannot be."""
    with suppress(TypeError):
        seconds = index(horizon_s)
        if 0.0 <= chance <= 1.0 and -50.0 <= tilt <= 50.0 and 0.0 <= size < math.inf and seconds > 0:
            return seconds, float(chance), float(tilt), float(size)
    found = f"chance {chance!r}, tilt {tilt!r}, size {size!r}, horizon_s {horizon_s!r}"
    raise SchemaError(found, "a chance in [0, 1], a tilt in logits, a size from 0 on, whole seconds above 0")


def _ms(ts: object) -> int:
    if isinstance(ts, datetime) and ts.tzinfo is not None:
        return round(ts.timestamp() * 1000)
    if isinstance(ts, datetime):
        raise SchemaError(f"{ts} has no time zone", "a UTC time", "datetime.now(timezone.utc)?")
    if hasattr(ts, "item") and isinstance(ts.item(), int):
        return int(ts.item())
    raise SchemaError(f"ts is {ts!r}", "a time with a zone, or whole milliseconds since 1970")


def _finite(name: str, value: float) -> None:
    if not abs(value) <= 1e6:
        raise SchemaError(f"{name} {value}", "bps of one unit, at most 1e+06", "a sum of money, or a price?")
