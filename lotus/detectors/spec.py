"""One detector as data: what its YAML file says, checked, with every error at its line and column.

`frames:` names expressions over the columns of a frame, `windows:` names expressions over the columns of a window
(`window_spec.WINDOW_UNITS`, every column of the closing frame, and the names of `frames:` as they stand there),
`signal:` is s, `require:` what a window must have beside it to be published, `triggers:` are proposed entries
(`spec_triggers`). A null s is 0; s is clipped to [-1, 1]. Nothing is
compiled here (`spec_check`, `spec_compile`).
In the literature a detector is a formulaic alpha with a declared horizon.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from lotus.detectors.entry_style import EntryPlan, EntryStyle, Fallback
from lotus.detectors.spec_check import Checked, KeyedError, check_expressions
from lotus.detectors.spec_triggers import Triggers, read_triggers
from lotus.errors import ConfigError, ExpressionError
from lotus.experts.source import SpecSource, read_source
from lotus.hashing import natural_id
from lotus.manifest import Manifest
from lotus.tape_machine.checker import quantity
from lotus.tape_machine.complexity import kr_rho, measure
from lotus.tape_machine.environment import Quantity
from lotus.tape_machine.units import is_duration, time_ratio

JITTER: Final[tuple[float, ...]] = (1.0, 0.8, 0.9, 1.1, 1.2)  # the detector itself, then its K = 4 siblings
MAX_CHARACTERS: Final[int] = 16_384  # of a file
MAX_NAME: Final[int] = 64  # characters of a name
MAX_NAMES: Final[int] = 64  # of params, frames and windows together
STATUSES: Final = ("active", "experimental")
REQUIREMENTS: Final = ("mx_confirm",)
_KEYS: Final = ("detector_id", "family", "version", "idea", "horizon", "band", "best_phase_deg", "signal")
_OPTIONAL: Final = ("status", "params", "frames", "windows", "entry", "require", "triggers")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that expressions name, in its canonical unit; siblings multiply it when `jitter`."""

    name: str
    value: float
    unit: str
    jitter: bool = True


Expressions = tuple[tuple[str, str], ...]  # (name, text) in the order of the file


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """One detector version; periods of `band_s` and `horizon_s` in seconds, `depth` and `nodes` as measured."""

    detector_id: str
    family: str
    version: int
    status: str
    idea: str
    horizon_s: int
    band_s: tuple[float, float]
    best_phase_deg: float
    depth: int
    nodes: int
    params: tuple[Parameter, ...]
    frames: Expressions
    windows: Expressions
    signal: str
    entry: EntryPlan = field(default=EntryPlan(), repr=False)
    triggers: Triggers = field(default=(), repr=False)
    require: str = field(default="", repr=False)

    @property
    def spec_id(self) -> str:
        """128-bit identity of what shapes signal and payoff; the idea's wording, status and triggers do not.

        A spec that crosses and requires nothing has the identity that it had before it could say so.
        """
        words = [*([] if self.entry == EntryPlan() else [repr(self.entry)]), *filter(None, [self.require])]
        return natural_id("detector", repr(replace(self, idea="", status="")), *words)

    def as_json(self) -> dict[str, Any]:
        """Return the specification as plain data; entry, triggers and requirement only where it names them."""
        named = {"entry": self.entry != EntryPlan(), "triggers": bool(self.triggers), "require": bool(self.require)}
        return {name: value for name, value in asdict(self).items() if named.get(name, True)}

    @property
    def rho(self) -> float:
        """kr_rho, complexity: logistic((depth - 8)/4 + (nodes - 48)/24), 0.5 at depth 8 and 48 nodes."""
        return kr_rho(self.depth, self.nodes)

    def jittered(self, factor: float) -> "DetectorSpec":
        """Return this detector with every jittered parameter times `factor`."""
        return replace(self, params=tuple(replace(p, value=p.value * factor) if p.jitter else p for p in self.params))

    def checked(self, cadence_ms: int, window_ms: int) -> Checked:
        """Return the typed nodes at these cadences; raises `KeyedError` naming the key and the place in it."""
        quantities = {p.name: Quantity(p.value, p.unit) for p in self.params}
        return check_expressions(quantities, self.frames, self.windows, self.signal, cadence_ms, window_ms)


def parse_spec(text: str, where: str) -> DetectorSpec:
    """Read one YAML specification; raises `ConfigError` with file `where`, key, line, column, cause and suggestion."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"{where} has {len(text)} characters", f"at most {MAX_CHARACTERS}")
    root = _read(text, where)
    keys = root.keyed(_KEYS, _OPTIONAL)
    params = _params(keys.get("params"))
    frames, windows = _expressions(keys.get("frames")), _expressions(keys.get("windows"))
    if len(params) + len(frames) + len(windows) > MAX_NAMES:
        raise root.error(f"{len(params) + len(frames) + len(windows)} names", f"at most {MAX_NAMES}")
    spec = DetectorSpec(
        detector_id=_name(keys["detector_id"]),
        family=_name(keys["family"]),
        version=_at_least_1(keys["version"]),
        status=keys["status"].one_of(STATUSES) if "status" in keys else "experimental",
        idea=" ".join(keys["idea"].scalar.split()),
        horizon_s=_horizon_s(keys["horizon"]),
        band_s=_band_s(keys["band"]),
        best_phase_deg=keys["best_phase_deg"].number(),
        depth=0,
        nodes=0,
        params=params,
        frames=frames,
        windows=windows,
        signal=keys["signal"].scalar,
        entry=_entry(keys["entry"]) if "entry" in keys else EntryPlan(),
        triggers=read_triggers(keys.get("triggers")),
        require=keys["require"].one_of(REQUIREMENTS) if "require" in keys else "",
    )
    depth, nodes = _measured(spec, keys)
    return replace(spec, depth=depth, nodes=nodes)


def _read(text: str, where: str) -> SpecSource:
    try:
        return read_source(text, where)
    except RecursionError:
        raise ConfigError(f"{where} is nested too deeply", "key: value, two levels at most") from None


def _measured(spec: DetectorSpec, keys: Mapping[str, SpecSource]) -> tuple[int, int]:
    """Return depth and nodes of the detector, frames and windows as one graph; raises its errors at their place."""
    kernel = Manifest().kernel
    try:
        checked = spec.checked(kernel.cadence_ms, kernel.window_ms)
    except KeyedError as found:
        section, _, name = found.key.partition(".")
        part = keys[section].mapping()[name] if name else keys[section]
        if isinstance(found.error, ExpressionError):
            raise part.expression_error(found.error) from None
        raise part.error(found.error.found, found.error.expected, found.error.cause) from None
    for section in ("params", "frames", "windows"):
        for name, part in keys[section].mapping().items() if section in keys else ():
            if name not in checked.used:
                raise part.error(
                    f"{name!r} is never used", "a name that the signal depends on", "left over, misspelled"
                )
    return measure(checked.whole)


def _params(source: SpecSource | None) -> tuple[Parameter, ...]:
    params = []
    for name, part in source.mapping().items() if source else ():
        value, jitter = part, True
        if part.key and not _is_scalar(part):
            keys = part.keyed(("value",), ("jitter",))
            value = keys["value"]
            jitter = keys["jitter"].one_of(("true", "false")) == "true" if "jitter" in keys else True
        amount = _quantity(value)
        params.append(Parameter(name, amount.value, amount.unit, jitter))
    return tuple(params)


def _expressions(source: SpecSource | None) -> Expressions:
    return tuple((name, part.scalar) for name, part in source.mapping().items()) if source else ()


def _is_scalar(part: SpecSource) -> bool:
    try:
        return bool(part.scalar) or True
    except ConfigError:
        return False


def _quantity(part: SpecSource) -> Quantity:
    try:
        return quantity(part.scalar)
    except ExpressionError as error:
        raise part.expression_error(error) from None


def _seconds(part: SpecSource, text: str) -> float:
    try:
        amount = quantity(text)
    except ExpressionError as error:
        raise part.error(error.found, "a duration such as 30s", error.cause) from None
    ratio = time_ratio(amount.unit, "s", 1) if is_duration(amount.unit) and amount.unit != "step" else None
    if ratio is None:
        raise part.error(f"{text!r}", "a duration such as 30s", "its unit is missing or no time")
    return amount.value * ratio


def _horizon_s(part: SpecSource) -> int:
    seconds = _seconds(part, part.scalar)
    if not (seconds >= 1.0 and seconds == int(seconds)):
        raise part.error(f"a horizon of {seconds:g} s", "whole seconds, at least 1s")
    return int(seconds)


def _band_s(part: SpecSource) -> tuple[float, float]:
    low, dots, high = part.scalar.partition("..")
    if not dots:
        raise part.error(f"{part.scalar!r}", "two periods such as 20s..160s")
    band = _seconds(part, low.strip()), _seconds(part, high.strip())
    if not 0.0 < band[0] < band[1]:
        raise part.error(f"a band of {band[0]:g} to {band[1]:g} s", "positive and rising")
    return band


def _entry(part: SpecSource) -> EntryPlan:
    if _is_scalar(part):
        return EntryPlan(EntryStyle(part.one_of(EntryStyle)))
    keys = part.keyed(("style",), ("fallback",))
    style = EntryStyle(keys["style"].one_of(EntryStyle))
    fallback = Fallback(keys["fallback"].one_of(Fallback)) if "fallback" in keys else Fallback.CROSS
    if style is EntryStyle.CROSS and "fallback" in keys:
        raise keys["fallback"].error("a fallback of what crosses at once", "one beside join or improve")
    return EntryPlan(style, fallback)


def _at_least_1(part: SpecSource) -> int:
    if part.whole() < 1:
        raise part.error(f"version {part.scalar}", "1 or more")
    return part.whole()


def _name(part: SpecSource) -> str:
    text = part.scalar
    if not (text.isidentifier() and text.isascii() and text == text.lower() and len(text) <= MAX_NAME):
        raise part.error(f"{text[:40]!r}", f"small letters, digits and _, at most {MAX_NAME}")
    return part.scalar
