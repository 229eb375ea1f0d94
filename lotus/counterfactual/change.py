"""A change that a what-if asks about: other beliefs, somebody left out, other settings, another specification.

A change is a value with a canonical form, so that two who ask the same ask one question. What it makes of manifest,
priors and tables of a day is here; what that is worth is `off_policy` and `simulated`. (Literature: intervention on a
structural model, counterfactual policy.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from lotus.curation.act import BIT_OF_ACTOR
from lotus.detectors.curators import CURATOR, FRAGILITY
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.signal_spec import PERSON
from lotus.errors import BeliefError, ConfigError
from lotus.manifest import Manifest, override
from lotus.priors.types import NEVER_MS, PriorsVersion, priors_version

NO_BELIEFS: Final = "none"
PEOPLE: Final = "people"
LEAKAGE_CURATOR: Final = f"{CURATOR}leakage"
OFF_POLICY: Final[Mapping[str, frozenset[str]]] = {  # settings that a stored window can be drawn again under
    "score": frozenset(
        ("epsilon", "gamma_mx", "beta_mx", "crowding_c", "crowding_q", "sq_share", "penalty_a", "penalty_b",
         "tau_kairos", "tau_uncert", "kappa_fragility")
    ),
    "weave": frozenset(
        ("theta_total", "phi_total", "theta_min", "theta_max", "max_total_tilt", "trust_caps", "trust_floor")
    ),
}  # fmt: skip
ON_TAPE: Final[Mapping[str, frozenset[str]]] = {  # settings that need the tape
    "score": frozenset(("tau_entrain", "publish_share", "temperature", "temperature_min", "temperature_max",
                        "history_days")),
    "outcomes": frozenset(("latency_ms", "taker_fee_bps", "probe_notional_usd")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WhatIfChange:
    """What is changed, everything else being as it was.

    `priors`: "" as they were, "none", or the name of a version. `braids`, `experts`, `curators`: who is left out, in
    order. `settings`: (section.key, JSON value) in order. `spec`: the name of another specification, "" for none.
    """

    priors: str = ""
    braids: tuple[str, ...] = ()
    experts: tuple[str, ...] = ()
    curators: tuple[str, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    spec: str = ""

    def __post_init__(self) -> None:
        if not self.as_json():
            raise ConfigError("nothing is changed", "one of --priors, --without, --set, --spec")
        if self.priors and self.braids:
            raise ConfigError("--priors and --without a braid", "one of them", "a version says what it has")

    def as_json(self) -> dict[str, Any]:
        """Return what is changed in plain values, what is not left out."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        named["settings"] = dict(self.settings)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in named.items() if value}

    @property
    def words(self) -> str:
        """The change in one line."""
        parts = [f"priors {self.priors}"] if self.priors else []
        parts += [f"without {name}" for name in (*self.braids, *self.experts, *self.curators)]
        parts += [f"{key} = {value}" for key, value in self.settings]
        return ", ".join([*parts, *([f"specification {self.spec}"] if self.spec else [])])

    @property
    def only_on_tape(self) -> str:
        """Why stored windows cannot answer it; "" where they can."""
        if self.spec:
            return "another specification has other signals"
        for key, _ in self.settings:
            section, _, name = key.partition(".")
            if name not in OFF_POLICY.get(section, ()):
                return f"{key} changes more than the propensity of stored windows"
        return ""

    @property
    def makes_tables(self) -> bool:
        """Whether the day tables have to be made again from the history under it."""
        made = ("publish_share", "temperature", "temperature_min", "temperature_max", "history_days")
        return bool(self.spec) or any(key.partition(".")[2] in made for key, _ in self.settings)


def manifest_under(change: WhatIfChange, manifest: Manifest) -> Manifest:
    """Return the manifest with the settings; raises `ConfigError` for a key that may not be changed, or its value."""
    for key, value in change.settings:
        section, _, name = key.partition(".")
        allowed = OFF_POLICY.get(section, frozenset()) | ON_TAPE.get(section, frozenset())
        if name not in allowed:
            wanted = [f"{part}.{one}" for table in (OFF_POLICY, ON_TAPE) for part in table for one in table[part]]
            raise ConfigError(
                f"--set {key}", f"one of {', '.join(sorted(wanted))}", "a typing error, or one that fixes"
            )
        changed = override(getattr(manifest, section), {name: value}, section)
        manifest = replace(manifest, **{section: changed})
    return manifest


def versions_under(
    change: WhatIfChange, versions: Sequence[PriorsVersion], other: PriorsVersion | None
) -> list[PriorsVersion]:
    """Return the versions of a day under a change, one for each in its order and at its time.

    `other`: the version that the change names, taken as if it had always been in force. A braid that is left out takes
    along the compositions that act through it. Raises `BeliefError` for a version of another branch.
    """
    if change.priors == NO_BELIEFS:
        return [priors_version(v.branch, v.effective_from_ms) for v in versions]
    if other is not None:
        always = tuple(replace(b, effective_from_ms=0, expires_at_ms=NEVER_MS) for b in other.braids)
        if {v.branch for v in versions} - {other.branch}:
            raise BeliefError(f"priors of branch {other.branch}", f"of {versions[0].branch}")
        return [priors_version(v.branch, v.effective_from_ms, always) for v in versions]
    if not change.braids:
        return list(versions)
    gone = set(change.braids)
    return [
        priors_version(
            v.branch,
            v.effective_from_ms,
            tuple(b for b in v.braids if b.braid_id not in gone and not gone & set(b.parents)),
        )
        for v in versions
    ]


def tables_under(change: WhatIfChange, tables: DayTables) -> DayTables:
    """Return the tables of a day without the curators that are left out; `people`: all of them."""
    for actor in change.curators:
        tables = _without(tables, actor)
    return tables


def _without(tables: DayTables, actor: str) -> DayTables:
    def is_gone(name: str) -> bool:
        return name == actor or (actor == PEOPLE and not name.startswith(CURATOR))

    nudges = tuple({a: log for a, log in by.items() if not is_gone(a)} for by in tables.curator_nudge)
    bit = PERSON if actor == PEOPLE else BIT_OF_ACTOR.get(actor, 0)
    bits = tuple(tuple(b & ~bit for b in row) for row in tables.curator_veto)
    return replace(
        tables,
        curator_nudge=nudges if any(nudges) else (),
        curator_veto=tuple(row if any(row) else () for row in bits) if any(map(any, bits)) else (),
        adv_fragility=tuple(0.0 for _ in tables.adv_fragility) if actor == FRAGILITY else tables.adv_fragility,
        leakage_veto=tuple(False for _ in tables.leakage_veto) if actor == LEAKAGE_CURATOR else tables.leakage_veto,
    )
