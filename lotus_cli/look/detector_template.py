"""The file that `lotus detector new` writes: a small working detector with every key explained, or a shipped one.

Text only; what the keys mean is decided by `lotus.detectors.spec`.
"""

from importlib import resources

from lotus.detectors.spec import MAX_NAME
from lotus.errors import ConfigError

TEMPLATE = """\
# A detector: what it says about each window of an asset. The language: docs/reference/expressions.md.
detector_id: {name}
family: {name}
version: 1               # every change of an expression, a parameter, the horizon or the band is another version
status: experimental     # active ones are scored; experimental ones only with [detectors] score_experimental
idea: Takers who buy for seconds without a pause pull the price with them.

horizon: 30s             # over which its signal is judged: one per version
band: 20s..160s          # periods in which signal and return should agree
best_phase_deg: 270      # phase of the dominant cycle at which a long signal works best: 0 crest, 180 trough

# Numbers with their unit. Siblings multiply each by 0.8, 0.9, 1.1 and 1.2; {{value: 3, jitter: false}} stays.
params:
  span: 5s
  least: 0.3
  loud: 1sigma

# Named expressions over the columns of a frame (200 ms), run on every frame.
frames:
  pressure: ema(aggr_imb, span)   # null without a trade: an ema keeps its value, a mean would be null with it

# Named expressions over the columns of a window (5 s), run when it closes: window columns, columns of the closing
# frame, and the names above as they stand there.
windows:
  burst: zscore(traded_usd, 10m)

# A number without a unit, clipped to [-1, 1]; its sign is the direction, null is 0.
signal: where(abs(pressure) >= least and burst >= loud, pressure, 0)

# Published only where the micro-experts confirm:
# require: mx_confirm
"""


def template(name: str, family: str | None) -> str:
    """Return the text of a new detector; raises `ConfigError` for a name or family that cannot be."""
    if not (name.isidentifier() and name.isascii() and name == name.lower() and len(name) <= MAX_NAME):
        raise ConfigError(f"the name {name[:40]!r}", f"small letters, digits and _, at most {MAX_NAME}")
    return TEMPLATE.format(name=name) if family is None else _of_family(name, family)


def _of_family(name: str, family: str) -> str:
    from lotus.detectors.registry import known_detectors

    by_family = {spec.family: spec.detector_id for spec in known_detectors()}
    if family not in by_family:
        raise ConfigError(f"there is no family {family!r}", f"one of {', '.join(by_family)}")
    text = (resources.files("lotus.detectors") / "specs" / f"{by_family[family]}.yaml").read_text("utf-8")
    fresh = {"detector_id": name, "version": "1", "status": "experimental"}
    lines = []
    for line in text.splitlines():
        key, colon, _ = line.partition(":")
        lines.append(f"{key}: {fresh[key]}" if colon and key in fresh else line)
    return "\n".join(lines) + "\n"
