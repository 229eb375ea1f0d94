"""What the decision-maker takes in: directional inputs, budget cues, and typed refusals of everything else.

Detectors speak in `det-alpha-1.0` or `sigbus-1.0.0` (or `1.1.0`) and `ms-1.0` (or `1.1`), people and charts in
`alpha-hint-1.0`; all become the same two values. A payload with several faults is refused with all of them. What an
input is worth is `calibration`; nothing is believed here. In the literature: anti-corruption layer, validated
ingestion.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import ValidationError, convert

from lotus.decision.policy.policy import HorizonRule
from lotus.errors import SchemaError
from lotus.modules.signals import DET_ALPHA, META_FITTED, META_SCHEMAS, SIGBUS_SCHEMAS, check_signal
from lotus.names import is_name
from lotus.priors.claims import NO_LEVEL, FiredClaim, total_of

HINT: Final = "alpha-hint-1.0"
SCHEMAS: Final = (DET_ALPHA, *SIGBUS_SCHEMAS, *META_SCHEMAS, HINT)
ANY_REGIME: Final = "all"
CLOCK_SLACK_MS: Final = 500  # two clocks may differ by this
TRIGGER_CHARACTERS: Final = 400


class InputFault(StrEnum):
    """Why an input is refused."""

    UNKNOWN_SCHEMA = "unknown_schema"
    BAD_SCHEMA = "bad_schema"  # not what its schema says, in a member that is not read here
    MISSING = "missing"
    BAD_VALUE = "bad_value"
    WRONG_BRANCH = "wrong_branch"
    UNKNOWN_COIN = "unknown_coin"
    NO_DIRECTION = "no_direction"
    NOT_PUBLISHED = "not_published"
    BAD_HORIZON = "bad_horizon"
    FROM_FUTURE = "from_future"
    EXPIRED = "expired"
    NO_LIFECYCLE = "no_lifecycle"


@dataclass(frozen=True, slots=True)
class InputProblem:
    """One fault: where, what was found, what was expected."""

    fault: InputFault
    member: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class InputRefusal:
    """An input that is not taken; `reasons` holds every fault that was found, in the order of the members."""

    event_id: str
    reasons: tuple[InputProblem, ...]


@dataclass(frozen=True, slots=True)
class AlphaInput:
    """One directional view. `source` is `det:<detector>@<version>`, `human:<name>` or `chart:<name>`.

    `score` in [0, 1] is strength times curated sigma (a hint's conviction): what calibration reads. It lives until
    `valid_until_ms`, the end of its horizon. `claim_bps` is the sum of what its fired braids claim, in its own
    direction, `claim_level` the highest level of trust among them (`lotus.priors.claims`).
    """

    source: str
    coin: str
    horizon_s: int
    sign: int
    score: float
    event_id: str
    lifecycle_id: str
    window_end_ms: int
    valid_until_ms: int
    regime: str
    triggers: tuple[str, ...] = ()
    claim_bps: float = 0.0
    claim_level: int = NO_LEVEL

    @property
    def kind(self) -> str:
        """`det`, `human` or `chart`."""
        return self.source.partition(":")[0]


@dataclass(frozen=True, slots=True)
class CueInput:
    """Budget cues of one coin and window; a cue that was not measured is None. Without direction by its schema.

    `components` are the sizes of the asymmetry components that were measured, in deviations; `is_fitted`: their weights
    are not the shipped ones.
    """

    source: str
    coin: str
    event_id: str
    lifecycle_id: str
    window_end_ms: int
    kairos: float | None
    entrain: float | None
    uncert: float
    hbar: float
    asymmetry: float | None
    components: tuple[tuple[str, float], ...] = ()
    is_fitted: bool = False


@dataclass(frozen=True, slots=True)
class AlphaContext:
    """What the envelope says: its thread, the regime of the window if the sender named one, and when it came."""

    lifecycle_id: str
    received_ms: int
    regime: str = ANY_REGIME


@dataclass(frozen=True, slots=True)
class InputFilter:
    """Whom the decision-maker listens to: one branch, coins that can be traded, horizons of the policy."""

    branch: str
    coins: frozenset[str]
    horizons: HorizonRule


def ingest(
    payload: Mapping[str, Any], delivery: AlphaContext, input_filter: InputFilter
) -> AlphaInput | CueInput | InputRefusal:
    """Return the input that a payload is, or every reason why it is none."""
    reader = _Reader(payload)
    schema = payload.get("schema_ver")
    if schema not in SCHEMAS:
        reader.fault(InputFault.UNKNOWN_SCHEMA, "schema_ver", schema, ", ".join(SCHEMAS))
        return reader.refusal()
    if not delivery.lifecycle_id:
        reader.fault(InputFault.NO_LIFECYCLE, "lifecycle_id", "", "the thread of its envelope")
    if reader.text("branch") not in ("", input_filter.branch):
        reader.fault(InputFault.WRONG_BRANCH, "branch", payload["branch"], input_filter.branch)
    if reader.text("asset") not in ("", *input_filter.coins):
        reader.fault(
            InputFault.UNKNOWN_COIN, "asset", payload["asset"], f"one of {', '.join(sorted(input_filter.coins))}"
        )
    end_ms = reader.time_ms("asof_ts")
    if end_ms is not None and end_ms > delivery.received_ms + CLOCK_SLACK_MS:
        reader.fault(InputFault.FROM_FUTURE, "asof_ts", payload["asof_ts"], f"at most {delivery.received_ms} ms")
    made = _cue(reader, delivery) if schema in META_SCHEMAS else _alpha(reader, str(schema), delivery, input_filter)
    if not reader.reasons and schema != HINT:
        reader.check_schema()
    return made if made is not None and not reader.reasons else reader.refusal()


def _alpha(reader: "_Reader", schema: str, delivery: AlphaContext, input_filter: InputFilter) -> AlphaInput | None:
    horizon = reader.whole("horizon_s", 1, 2**31)
    if horizon is not None and not input_filter.horizons.shortest_s <= horizon <= input_filter.horizons.longest_s:
        expected = f"{input_filter.horizons.shortest_s} to {input_filter.horizons.longest_s}"
        reader.fault(InputFault.BAD_HORIZON, "horizon_s", horizon, expected)
    sign = reader.whole("direction", -1, 1)
    if sign == 0:
        reader.fault(InputFault.NO_DIRECTION, "direction", 0, "1 or -1")
    score = reader.number("conviction", 0.0, 1.0) if schema == HINT else _score(reader)
    source = _hint_source(reader) if schema == HINT else _detector(reader)
    if schema in SIGBUS_SCHEMAS and not (reader.inside("publication") or {}).get("published"):
        reader.fault(InputFault.NOT_PUBLISHED, "publication.published", False, "True")
    end_ms, event_id = reader.time_ms("asof_ts", reported=True), reader.text("event_id")
    triggers = reader.texts("suggested_triggers") if schema not in SIGBUS_SCHEMAS else ()
    claims = total_of(reader.claims() if schema == DET_ALPHA else ())
    if end_ms is None or horizon is None or sign is None or score is None:
        return None
    valid_until = end_ms + 1000 * horizon
    if valid_until <= delivery.received_ms:
        reader.fault(InputFault.EXPIRED, "horizon_s", f"until {valid_until} ms", f"after {delivery.received_ms} ms")
    return AlphaInput(
        source=source, coin=reader.text("asset", reported=True), horizon_s=horizon, sign=sign, score=score,
        event_id=event_id, lifecycle_id=delivery.lifecycle_id, window_end_ms=end_ms, valid_until_ms=valid_until,
        regime=delivery.regime or ANY_REGIME, triggers=triggers, claim_bps=claims[0], claim_level=claims[1],
    )  # fmt: skip


def _score(reader: "_Reader") -> float | None:
    strength, sigma = reader.number("strength", 0.0, 1.0), reader.number("curated_sigma", 0.0, 1.0)
    return None if strength is None or sigma is None else strength * sigma


def _detector(reader: "_Reader") -> str:
    return f"det:{reader.text('detector_id')}@{reader.whole('spec_version', 1, 2**31)}"


def _hint_source(reader: "_Reader") -> str:
    kind = reader.text("kind")
    if kind not in ("", "human", "chart"):
        reader.fault(InputFault.BAD_VALUE, "kind", kind, "human or chart")
    author = reader.text("author")
    if author and not is_name(author):
        reader.fault(InputFault.BAD_VALUE, "author", author, "printable characters, no blanks around them")
    return f"{kind}:{author}"


def _cue(reader: "_Reader", delivery: AlphaContext) -> CueInput | None:
    kairos, entrain = reader.maybe("ms_kairos"), reader.maybe("ms_entrain_r")
    uncert, hbar = reader.number("ms_uncert", 0.0, 1.0), reader.number("ms_hbar", 0.0, 1.0)
    asymmetry = reader.maybe("ms_asym_score")
    components, absent = reader.inside("ms_asym_components"), reader.texts("ms_asym_absent")
    end_ms, event_id, source = reader.time_ms("asof_ts", reported=True), reader.text("event_id"), _detector(reader)
    if end_ms is None or uncert is None or hbar is None or components is None:
        return None
    measured = {name: size for name, size in components.items() if name not in absent}
    for name, size in measured.items():
        if not _is_number(size) or not 0.0 <= size <= 5.0:
            reader.fault(InputFault.BAD_VALUE, f"ms_asym_components.{name}", size, "a number from 0 to 5")
            return None
    return CueInput(
        source=source, coin=reader.text("asset", reported=True), event_id=event_id, lifecycle_id=delivery.lifecycle_id,
        window_end_ms=end_ms, kairos=kairos, entrain=entrain, uncert=uncert, hbar=hbar, asymmetry=asymmetry,
        components=tuple(sorted((name, float(size)) for name, size in measured.items())),
        is_fitted=reader.payload["schema_ver"] == META_FITTED,
    )  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class _Reader:
    """Members of a payload, read one by one; faults are collected, not raised."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.payload = payload
        self.reasons: list[InputProblem] = []

    def fault(self, fault: InputFault, member: str, found: object, expected: str) -> None:
        self.reasons.append(InputProblem(fault, member, str(found)[:80], expected))

    def refusal(self) -> InputRefusal:
        return InputRefusal(str(self.payload.get("event_id", ""))[:128], tuple(self.reasons))

    def text(self, name: str, reported: bool = False) -> str:
        """Return a text, "" for a faulty one; `reported` when its faults are already listed."""
        value = self.payload.get(name)
        if isinstance(value, str) and 0 < len(value) <= 128:
            return value
        if not reported:
            self._wrong(name, "a text of 1 to 128 characters")
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.payload.get(name)
        if isinstance(value, list) and all(isinstance(x, str) and 0 < len(x) <= TRIGGER_CHARACTERS for x in value):
            return tuple(value)
        self._wrong(name, "a list of texts")
        return ()

    def claims(self) -> tuple[FiredClaim, ...]:
        """Return the claims of fired braids; their schema is checked with the whole payload's."""
        try:
            return convert(self.payload.get("claims", ()), tuple[FiredClaim, ...])
        except ValidationError as problem:
            self.fault(InputFault.BAD_VALUE, "claims", problem, "braid_id, claim_bps and level of each")
            return ()

    def inside(self, name: str) -> Mapping[str, Any] | None:
        value = self.payload.get(name)
        if isinstance(value, dict):
            return value
        self._wrong(name, "an object")
        return None

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self.payload.get(name)
        if isinstance(value, int | float) and _is_number(value) and low <= value <= high:
            return float(value)
        self._wrong(name, f"a number from {low:g} to {high:g}")
        return None

    def maybe(self, name: str) -> float | None:
        """Return a cue, None for a null one."""
        if name in self.payload and self.payload[name] is None:
            return None
        return self.number(name, 0.0, 1.0)

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.payload.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self._wrong(name, f"a whole number from {low} to {high}")
        return None

    def time_ms(self, name: str, reported: bool = False) -> int | None:
        value = self.payload.get(name)
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return round(moment.timestamp() * 1000)
        if not reported:
            self._wrong(name, "a UTC time to the millisecond")
        return None

    def check_schema(self) -> None:
        try:
            check_signal(dict(self.payload))
        except SchemaError as error:
            self.fault(InputFault.BAD_SCHEMA, "data", error.found, error.expected)

    def _wrong(self, name: str, expected: str) -> None:
        if name in self.payload:
            self.fault(InputFault.BAD_VALUE, name, self.payload[name], expected)
        else:
            self.fault(InputFault.MISSING, name, "nothing", expected)
