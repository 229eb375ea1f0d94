"""What a table must fulfil before anything is learned from it; every refusal names file, column, row and cause.

Values only: types are settled when files are read. Nothing is repaired here.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.table import US_PER_MS, Floats, SignalTable
from lotus.tape_machine.diagnosis import nearest
from lotus.timebase import BLOCK_MS, DAY_MS, day_of, day_start_ms

Mask = NDArray[np.bool_]
MAX_DECISION_S = BLOCK_MS // 1000
MAX_HORIZON_S = 31 * DAY_MS // 1000
_FIRST_US, _LAST_US = (US_PER_MS * day_start_ms(day) for day in ("2000-01-01", "2100-01-01"))
MAX_PAYOFF_BPS = 1e6  # a hundredfold: beyond it one row would drown all others
_SURE = 30.0  # windows expected not to be published, of which there is none: chance e^-30
_UNFILLED = "an order that was not filled is 0, not empty"
_NO_FEATURE = "a rule needs something to speak of; a configuration may name one: columns: {x_vol: its name in the file}"
LEAST_ROWS = 20  # below it nothing about a column can be said, and every message would be about chance

FAR_DAYS = 90  # from one window to the next: beyond it a few last rows are no season but a wrong clock


def check_rows(table: SignalTable) -> None:
    """Refuse numbers outside their range, payoffs that contradict `published`, draws that cannot be, double rows."""
    for check in (_ranges, _stray_rows, _described, _draws, _only_published, _payoffs, _double_rows):
        check(table)


def decision_horizons(table: SignalTable, config: OwnConfig) -> dict[str, int]:
    """Return the horizon of each detector that is searched; raises `SchemaError` where a choice is open or wrong."""
    out = {}
    wanted = config.decision_horizon_s
    for name, own_rows in by_detector(table):
        horizons = sorted(int(h) for h in np.unique(table.horizon_s[own_rows]))
        listed = ", ".join(f"{h} s" for h in horizons)
        if wanted and wanted not in horizons:
            raise SchemaError(f"detector {name} has horizons {listed}", f"decision_horizon_s {wanted} among them")
        if not wanted and len(horizons) > 1:
            raise SchemaError(
                f"detector {name} has {len(horizons)} horizons on one draw: {listed}",
                "decision_horizon_s in the configuration names the one that decides",
                "searching all of them would be several looks at one draw",
            )
        out[name] = wanted or horizons[0]
        if out[name] > MAX_DECISION_S:
            raise SchemaError(
                f"detector {name} decides at {out[name]} s",
                f"at most {MAX_DECISION_S} s, one block of six hours",
                "longer payoffs overlap from block to block and day to day: every interval would be too narrow",
            )
    return out


def chosen_features(table: SignalTable, config: OwnConfig) -> tuple[str, ...]:
    """Return the features to learn over; raises `SchemaError` for one that is not there or when there is none."""
    if not table.features:
        raise SchemaError("no column x_* in the files", "one feature or more", _NO_FEATURE)
    for name in (*config.features, *config.groups):
        if name not in table.features:
            hint = nearest(name, tuple(table.features))
            raise SchemaError(
                f"the configuration names {name}, which no file has",
                ", ".join(table.features),
                f"{hint!r} misspelled" if hint else "",
            )
    if len(table) < LEAST_ROWS:
        days = len(np.unique(table.day))
        raise SchemaError(
            f"{len(table)} rows of {days} {'day' if days == 1 else 'days'}",
            f"{LEAST_ROWS} rows at the very least, and windows of ten days for a lesson",
            "a sample of the log: give all of it",
        )
    return tuple(config.features or table.features)


def by_detector(table: SignalTable) -> Iterator[tuple[str, Mask]]:
    """Yield name and rows of every detector."""
    for code, name in enumerate(table.detector.names):
        yield name, table.detector.codes == code


def _refuse(table: SignalTable, bad: Mask, column: str, found: str, expected: str, cause: str = "") -> None:
    if bad.any():
        raise table.wrong(bad, column, found, expected, cause)


def _ranges(table: SignalTable) -> None:
    odd = (table.ts_us < _FIRST_US) | (table.ts_us >= _LAST_US)
    _refuse(table, odd, "ts", "{value}", "a time from 2000 to 2100", "seconds taken for milliseconds?")
    odd = (table.horizon_s < 1) | (table.horizon_s > MAX_HORIZON_S)
    _refuse(table, odd, "horizon_s", "{value}", f"whole seconds, 1 to {MAX_HORIZON_S}", "milliseconds?")
    p = table.propensity
    outside = ~np.isnan(p) & ~((p >= 0.0) & (p <= 1.0))
    _refuse(table, outside, "propensity", "{value}", "a probability in [0, 1]", "per cent, or a logit?")
    for column, values in (("payoff_bps", table.payoff), ("paper_payoff_bps", table.paper)):
        _check_bps(table, column, values)


def _stray_rows(table: SignalTable) -> None:
    """Refuse a few rows far after all others: edges of bins, and what is in force, would be those of their day."""
    first = max(len(table) - LEAST_ROWS, 0)
    far = np.flatnonzero(np.diff(table.ts_us[first:]) > FAR_DAYS * DAY_MS * US_PER_MS)
    if len(table) > LEAST_ROWS and len(far):
        stray = np.arange(len(table)) > first + far[0]
        before = day_of(int(table.ts_us[first + far[0]]) // US_PER_MS)
        cause = f"a wrong clock or year? Where a log goes on after a pause, give it from {LEAST_ROWS} rows on"
        _refuse(table, stray, "ts", f"{{value}}, and no window from {before} to then", f"within {FAR_DAYS} days", cause)


def _check_bps(table: SignalTable, column: str, values: Floats) -> None:
    _refuse(table, np.isinf(values), column, "{value}", "a finite number of bps", "a division by zero?")
    huge = np.abs(values) > MAX_PAYOFF_BPS
    _refuse(
        table, huge, column, "{value}", f"bps of one unit, at most {MAX_PAYOFF_BPS:g}", "a sum of money, or a price?"
    )


def _described(table: SignalTable) -> None:
    """Check the columns that are reported and never searched."""
    columns = {name: np.asarray(values) for name, values in table.described.items()}
    for name in ("mfe_bps", "mae_bps"):
        if name in columns:
            _check_bps(table, name, columns[name])
    if {"mfe_bps", "mae_bps"} <= columns.keys():
        crossed = columns["mfe_bps"] < columns["mae_bps"]
        _refuse(table, crossed, "mfe_bps", "{value}, below mae_bps", "at least mae_bps", "the two exchanged?")
    if "p_hit" in columns:
        p = columns["p_hit"]
        outside = ~np.isnan(p) & ~((p >= 0.0) & (p <= 1.0))
        _refuse(table, outside, "p_hit", "{value}", "a probability in [0, 1]", "per cent, or a logit?")


def _draws(table: SignalTable) -> None:
    p, unlogged = table.propensity, np.isnan(table.propensity)
    for name, own_rows in by_detector(table):
        some = own_rows & unlogged
        if some.any() and not some[own_rows].all():
            _refuse(
                table, some, "propensity", f"null, though other rows of {name} have one",
                "a propensity in every row of a detector, or in none",
            )  # fmt: skip
    _refuse(
        table, table.published & (p == 0.0), "propensity", "0 in a published row", "more than 0",
        "this is not the probability with which the draw was made",
    )  # fmt: skip
    _refuse(
        table, ~table.published & (p == 1.0), "propensity", "1 in a row that was not published", "less than 1",
        "a veto after the draw? then the propensity was 0",
    )  # fmt: skip


def _only_published(table: SignalTable) -> None:
    """Refuse a detector whose unpublished windows were left out of the files."""
    for name, own_rows in by_detector(table):
        p = table.propensity[own_rows]
        if table.published[own_rows].all() and float(np.nansum(1.0 - p)) > _SURE:
            found = f"true in every row of {name}, whose propensities promise {np.nansum(1.0 - p):,.0f} that were not"
            cause = "only what was published was exported: log every window with its propensity"
            _refuse(table, own_rows, "published", found, "the windows that were not published as well", cause)


def _payoffs(table: SignalTable) -> None:
    paid = ~np.isnan(table.payoff)
    _refuse(
        table, paid & ~table.published, "payoff_bps", "{value} in a row that was not published", "null there",
        "a modelled payoff belongs into paper_payoff_bps",
    )  # fmt: skip
    for name, own_rows in by_detector(table):
        blank = own_rows & table.published & ~paid
        if paid[own_rows].any():
            expected = f"a payoff in every published row of {name}, as in its others"
            _refuse(table, blank, "payoff_bps", "null in a published row", expected, _UNFILLED)
        else:
            silent = blank & np.isnan(table.paper)
            _refuse(table, silent, "payoff_bps", "null in a published row, and no paper payoff", "either", _UNFILLED)


def _double_rows(table: SignalTable) -> None:
    keys: tuple[Callable[[SignalTable], NDArray[np.generic]], ...] = (
        lambda t: t.ts_us, lambda t: t.asset.codes, lambda t: t.detector.codes,
    )  # fmt: skip
    same = np.ones(max(len(table) - 1, 0), dtype=np.bool_)
    for key in keys:
        values = key(table)
        same &= values[1:] == values[:-1]
    double = same & (table.horizon_s[1:] == table.horizon_s[:-1])
    if double.any():
        later = np.flatnonzero(double)[0] + 1
        file, row = table.place(int(later) - 1)
        mask = np.zeros(len(table), dtype=np.bool_)
        mask[later] = True
        raise table.wrong(
            mask, "ts", f"the same (ts, asset, detector_id, horizon_s) as row {row} of {file}", "one row for each",
            "a file given twice?",
        )  # fmt: skip
    p = np.nan_to_num(table.propensity, nan=-1.0)
    for column, values in (("published", table.published), ("propensity", p)):
        differs = np.concatenate([[False], same & (values[1:] != values[:-1])])
        _refuse(
            table, differs, column, "{value}, which differs from another horizon of the same draw",
            "one draw for all horizons of a (ts, asset, detector_id)",
        )  # fmt: skip
