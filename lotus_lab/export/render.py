"""An export as a file: JSON alone, or a module of Python that needs nothing but the standard library.

The module is the source of `carried` as it stands, the data, and a few lines for the bot that imports it. It is loaded
once before it is written, in the way its user will load it.
"""

import importlib.abc
import importlib.util
import json
import types
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Final, get_args
from typing import Literal as OneOf

from lotus.errors import ConfigError
from lotus_lab.export import carried
from lotus_lab.export.carried import hash_of_source

Target = OneOf["freqtrade", "nautilus", "python", "json"]
TARGETS: Final[tuple[str, ...]] = get_args(Target)
_SOURCE: Final = Path(carried.__file__)
_HEAD = '''"""{title}

Exported by Lotus; do not edit it. It checks itself when it is imported, and raises `StaleLessons` once its time is
over. Rules that act:

{rules}

{usage}
"""
'''
_USAGE = {
    "python": """The tilt is what to add to the logit of the chance to act:

    tilt = LESSONS.advise(detector, asset, {name: value}, now_ms, side=1).tilt
    chance = moved_chance(chance, tilt)

Lessons of a home speak of features that Lotus alone computes: beside the daemon read its newest window,

    window = HomeWindows("http://127.0.0.1:8000", TOKEN).newest(detector, asset)
    tilt = LESSONS.of_window(window, now_ms).tilt""",
    "freqtrade": """In a strategy, beside a `lab.Randomiser` that draws (all of it: examples/freqtrade_breakout.py). A
window is a candle that is over, so that a bot that asks again gets the same draw; and without `or_refuse` Freqtrade
would take an exception for a yes:

    import lotus_lessons

    @lotus_lessons.or_refuse
    def confirm_trade_entry(self, pair, *args, current_time, side, **kwargs):
        candle = self.dp.get_analyzed_dataframe(pair, self.timeframe)[0].iloc[-1]
        tilt = lotus_lessons.tilt_of(DETECTOR, pair, candle, current_time, side)
        end = candle["date"] + pd.Timedelta(self.timeframe)
        return self.bot.draw(DETECTOR, pair, ts=end, horizon_s=3900, chance=0.3, tilt=tilt, x_a=candle["x_a"]).act""",
    "nautilus": """In a strategy, beside a `lab.Randomiser` that draws (all of it: examples/nautilus_breakout.py):

    import lotus_lessons

    def on_bar(self, bar):
        name = bar.bar_type.instrument_id
        tilt = lotus_lessons.tilt_of(DETECTOR, name, self.values(), bar.ts_event, side)
        draw = self.bot.draw(DETECTOR, str(name), ts=bar.ts_event // 1_000_000, horizon_s=3900, chance=0.3, tilt=tilt)
        if draw.act:
            self.submit_order(...)""",
}
_ADAPTER = {
    "python": "",
    "freqtrade": '''

def tilt_of(detector, pair, candle, current_time, side="long"):
    """Return the tilt for the last candle that is over, of a pair such as BTC/USDT:USDT.

    Columns are named as the features; raises `StaleLessons`, and `KeyError` for a column that is missing.
    """
    asset = LESSONS.asset_of([pair, pair.split(":")[0], pair.split("/")[0]])
    now_ms = int(current_time.timestamp() * 1000)
    return LESSONS.advise(detector, asset, candle, now_ms, side=1 if side == "long" else -1).tilt


def tilt_beside(home, detector, pair, current_time):
    """Return (tilt, side) of the newest window that the daemon has scored; `home` is a `HomeWindows`, side 1, -1 or 0.

    Raises `StaleLessons`, also where there is no window of the last minute.
    """
    now_ms = int(current_time.timestamp() * 1000)
    window = home.newest(detector, LESSONS.asset_of([pair, pair.split(":")[0], pair.split("/")[0]]), now_ms)
    return LESSONS.of_window(window, now_ms).tilt, window["side"]
''',
    "nautilus": '''

def tilt_of(detector, instrument_id, values, now_ns, side=1):
    """Return the tilt for an instrument such as BTCUSDT-PERP.BINANCE; `values` by feature, `now_ns` since 1970.

    Raises `StaleLessons`, and `KeyError` for a value that is missing.
    """
    name = str(instrument_id)
    symbol = name.rpartition(".")[0] or name
    asset = LESSONS.asset_of([name, symbol, symbol.split("-")[0]])
    return LESSONS.advise(detector, asset, values, now_ns // 1_000_000, side=side).tilt


def tilt_beside(home, detector, instrument_id, now_ns):
    """Return (tilt, side) of the newest window that the daemon has scored; `home` is a `HomeWindows`, side 1, -1 or 0.

    Raises `StaleLessons`, also where there is no window of the last minute.
    """
    name, now_ms = str(instrument_id), now_ns // 1_000_000
    symbol = name.rpartition(".")[0] or name
    window = home.newest(detector, LESSONS.asset_of([name, symbol, symbol.split("-")[0]]), now_ms)
    return LESSONS.of_window(window, now_ms).tilt, window["side"]
''',
}


def rendered(data: Mapping[str, Any], target: str) -> str:
    """Return the text of an export; raises `ConfigError` for a target that is none."""
    if target not in TARGETS:
        raise ConfigError(f"target {target!r}", ", ".join(TARGETS))
    if target == "json":
        return json.dumps(data, indent=1, allow_nan=False) + "\n"
    rules = "\n".join(
        f"- {name}: {braid['words'] if braid['op'] == 'RULE' else braid['op'] + ' of ' + ', '.join(braid['parents'])}"
        for name, own in data["detectors"].items()
        for braid in own["braids"]
    )
    head = _HEAD.format(title=f"Lessons of {data['of']}.", rules=_quoted(rules), usage=_USAGE[target])
    body = _SOURCE.read_text("utf-8").split('"""\n', 1)[1]
    given = f"json.loads({json.dumps(json.dumps(data))})"
    lessons = f'LESSONS = CarriedLessons({given}, globals().get("__file__"))\n{_ADAPTER[target]}'
    parts = f'{head}{body}\n\ncheck_source(globals(), "', f'")\n{lessons}'
    text = hash_of_source("".join(parts)).join(parts)
    module_of(text)
    return text


def module_of(text: str) -> types.ModuleType:
    """Return the module of a text, which checks its source, its hash and its vector; raises what it raises."""
    loader = _Text(text)
    module = importlib.util.module_from_spec(ModuleSpec("lotus_lessons", loader))
    loader.exec_module(module)
    return module


class _Text(importlib.abc.InspectLoader):
    """The loader of a module whose text is at hand."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, fullname: str) -> str:
        return self._text


def _quoted(text: str) -> str:
    """Return a text as it may stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
