"""Expert specs: what a YAML file says, read key by key; its expressions get their meaning in `compiler`.

A spec is data: names, numbers with units, expressions and, for a grammar, a state table. No formula belongs here.
Literature: timed automata (grammars), naive Bayes with shrunk weights (the fusion of their log-likelihood ratios).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lotus.experts.grammar import Grammar, read_grammar
from lotus.experts.source import SpecSource, plain, read_source
from lotus.hashing import natural_id

KINDS: Final = {
    "grammar": "a timed state machine over flags of frames",
    "divergence": "a verifier: price and an indicator disagree, and book and tape must agree with the turn",
    "anomaly": "distance of a frame from its own recent past",
    "sequence": "a filter over the last frames, trained elsewhere",
    "linear": "a number or threshold of a few columns",
}
_ALWAYS: Final = ("expert_id", "kind", "version", "idea", "needs", "f", "label")
_MAYBE: Final = ("params", "names", "model")
_SIGNED: Final = ("direction", "strength")
_TABLE: Final = ("states", "symbols", "transitions", "limits", "llr")


@dataclass(frozen=True, slots=True)
class LabelRule:
    """When a call was right: `gain_bps` in its direction within `horizon_s`, before `give_bps` against it."""

    horizon_s: float
    gain_bps: float
    give_bps: float


@dataclass(frozen=True, slots=True)
class ExpertSpec:
    """One expert as its file says it; expressions are kept with their places."""

    expert_id: str
    kind: str
    version: int
    idea: str
    params: Mapping[str, SpecSource]
    names: Mapping[str, SpecSource]
    model: SpecSource | None  # what is trained or grown, named `score`
    needs: tuple[SpecSource, ...]  # without these a frame says nothing
    grammar: Grammar | None
    signed: Mapping[str, SpecSource]  # direction and strength of a grammar, or z
    fires: SpecSource
    label: Mapping[str, SpecSource]
    body: Mapping[str, object] = field(hash=False)  # the whole file as plain values

    @property
    def spec_id(self) -> str:
        """128-bit identity of everything the file says."""
        return natural_id("expert", repr(self.body))


def parse_spec(text: str, file: str) -> ExpertSpec:
    """Return one spec; raises `ConfigError` (file, key, line, column) for a key, state or symbol that is not one."""
    root = read_source(text, file)
    has_table = "states" in root.mapping()
    more = (*_SIGNED, *_TABLE) if has_table else ("z",)
    keys = root.keyed((*_ALWAYS, *more), _MAYBE)
    kind = keys["kind"].one_of(KINDS)
    if has_table != (kind == "grammar") and not (has_table and kind == "divergence"):
        raise keys["kind"].error(f"{kind} {'with' if has_table else 'without'} states", "states for a grammar")
    expert_id = keys["expert_id"].scalar
    if file != f"{expert_id}.yaml":
        raise keys["expert_id"].error(f"{expert_id!r}", file.removesuffix(".yaml"), "the name of the file")
    body = plain(root)
    assert isinstance(body, dict)
    return ExpertSpec(
        expert_id=expert_id,
        kind=kind,
        version=keys["version"].whole(),
        idea=" ".join(keys["idea"].scalar.split()),
        params=keys["params"].mapping() if "params" in keys else {},
        names=keys["names"].mapping() if "names" in keys else {},
        model=keys.get("model"),
        needs=tuple(keys["needs"].items()),
        grammar=read_grammar({name: keys[name] for name in _TABLE}) if has_table else None,
        signed={name: keys[name] for name in (_SIGNED if has_table else ("z",))},
        fires=keys["f"],
        label=keys["label"].keyed(("horizon", "gain", "give")),
        body=body,
    )
