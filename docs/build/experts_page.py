"""The reference page of the experts, from their specs: `python docs/build/experts_page.py > docs/reference/experts.md`.

Only text is made here; a test compares it with the page.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from lotus.experts.compiler import FUSED, compile_experts
from lotus.experts.fusion import STATUS, ExpertSet, default_experts
from lotus.experts.source import SpecSource
from lotus.experts.spec import KINDS, ExpertSpec
from lotus.manifest import Manifest

_HEAD: Final = """# Micro-experts

This page is written from the specs in `lotus/experts/specs`; a test keeps them equal.

A micro-expert looks at every frame of one asset and says `z`, the log-likelihood ratio of "the next short move is up"
against "down" (its sign is the predicted direction, 0 says nothing), and `f`, whether its pattern stands. It is a
spec: names, numbers with units and expressions (see `expressions.md`). All specs become one program of the tape machine
with shared sub-expressions, {nodes} operations and {kib:.0f} KiB of state of an asset, run live and in batch with the
same bits.

## The keys of a spec

| key | meaning |
| --- | --- |
| `expert_id` | the name of the file and of its columns |
| `kind` | {kinds} |
| `version` | raised when anything below changes |
| `idea` | what it sees and what it predicts |
| `params` | constants with their units |
| `names` | named sub-expressions, each may use those before it |
| `needs` | numbers without which a frame says nothing: z null, f false, states quiet |
| `z` | of an expert without states: a number without a unit |
| `states` | the first is quiet |
| `symbols` | flags in order of priority; a state takes the first true one that it names |
| `transitions` | state: {{symbol: state}}; `timeout` is the target of its limit; naming itself restarts a state |
| `limits` | longest time in a state; every state but the first has one |
| `llr` | log-likelihood ratio of a state at full strength |
| `direction`, `strength` | z = sign(direction) clip(strength, 0, 1) llr[state], 0 in the quiet state |
| `f` | flag: the pattern stands |
| `label` | a call is right when the mid moves `gain` its way within `horizon`, before `give` against it |

`direction`, `strength` and `f` may use `in_<state>` and `age` (rows in the state), `f` also `z`. Symbols may not: what
a pattern remembers is written as `hold(x, flag, d)`. Errors name file, key, line and column.

## Fusion

`specs/fusion.yaml` names the experts in column order with `weight`, `vote` and `status` ({status}: one that is off
still speaks, but counts for nothing). `micro_llr` = sum of weight z (nulls skipped), `mx_evidence` =
logistic(micro_llr), then the knots of `evidence` when there are any; `mx_confirm` = [sum of vote f >= {votes:g}]; bit k
of `fired` is f of expert k.
`conf` of |z| is 2 P(the move is on the side of z) - 1, 0 below a coin: by the knots of `confidence` where the expert
has some, else 2 logistic(|z|) - 1, which takes z at its word.
Frames keep {fused}; the frames that close a window also keep z and
conf of every expert (`dsi_windows`).

## Learning

On Mondays `expert_training` trains the convolution and `expert_stats` judges all experts on the seven days before. Two
rules decide who is on: an expert whose reliability lies below 1/2 in four judgements in turn goes off until one finds
it there no more, and of two whose z have |correlation| > 0.8 the less reliable one goes off. Proposals (weights and
calibration of the evidence; calibration alone; conf of each expert; the net; the number of votes that confirms, where a
scored detector requires a confirmation) are fitted on the earlier days and
compared with what is in force on the last two, in pairs, with an interval over hours: only one whose interval lies
above 0 is taken up. All figures stand in the asset's metadata, losers included.

The set that follows holds from the Wednesday on (`dsi_expert_sets`), in batch and live alike; the daemon asks for the
set of a day when the day's state is born, and a night too late for that puts it off. Before any judgement, and after a
release of other experts, the shipped set holds. `expert_set` names the set of a day, with its version in the daemon's
log, in payloads (`experts_ver`) and in `lotus explain`. `detector_dsi_attrib` tells daily what each expert had to do
with the evidence and the payoff of each detector.

## The experts

| bit | expert | kind | weight | vote | operations on its own |
| --- | --- | --- | --- | --- | --- |
"""


def experts_page(experts: ExpertSet | None = None) -> str:
    """Return the page, Markdown."""
    used, cadence = experts or default_experts(), Manifest().kernel.cadence_ms
    program = compile_experts(used, cadence)
    kinds = "; ".join(f"{k}: {v}" for k, v in KINDS.items())
    head = _HEAD.format(
        nodes=program.n_nodes, kib=program.state_bytes / 1024, kinds=kinds,
        status=" or ".join(STATUS), votes=used.fusion.votes_needed, fused=", ".join(f"`{name}`" for name in FUSED),
    )  # fmt: skip
    rows = [
        f"| {k} | [{e.expert_id}](#{e.expert_id}) | {e.kind} | {v.weight:g} | {v.vote:g} | "
        f"{compile_experts(used.only(e.expert_id), cadence).n_nodes} |"
        for k, (e, v) in enumerate(zip(used.experts, used.fusion.voices.values(), strict=True))
    ]
    return head + "\n".join(rows) + "\n\n" + "\n".join(map(_expert, used.experts))


def _expert(spec: ExpertSpec) -> str:
    label = {name: part.scalar for name, part in spec.label.items()}
    lines = [f"### {spec.expert_id}", "", f"{spec.idea} ({spec.kind}, version {spec.version})", ""]
    lines += [
        f"Right when the mid moves {label['gain']} its way within {label['horizon']}, before {label['give']} back."
    ]
    lines += ["", "```yaml", *_block("params", spec.params), *_block("names", spec.names)]
    lines += [f"needs: [{', '.join(part.scalar for part in spec.needs)}]"]
    if spec.grammar is not None:
        lines += [*_block("symbols", spec.grammar.symbols), "transitions:", *_edges(spec)]
        lines += [f"llr: {{{', '.join(f'{spec.grammar.states[k]}: {x:g}' for k, x in spec.grammar.llr.items())}}}"]
    lines += [f"{name}: {part.scalar}" for name, part in spec.signed.items()]
    return "\n".join([*lines, f"f: {spec.fires.scalar}", "```", ""])


def _edges(spec: ExpertSpec) -> Iterable[str]:
    assert spec.grammar is not None
    states, limits = spec.grammar.states, spec.grammar.limits_s
    for k, name in enumerate(states):
        edges = [f"{symbol}: {states[to]}" for (at, symbol), to in spec.grammar.transitions.items() if at == k]
        limit = f"  # at most {limits[k]:g} s" if k in limits else ""
        yield f"  {name}: {{{', '.join(edges)}}}{limit}"


def _block(key: str, parts: Mapping[str, SpecSource]) -> Iterable[str]:
    if parts:
        yield f"{key}:"
        yield from (f"  {name}: {' '.join(part.scalar.split())}" for name, part in parts.items())


if __name__ == "__main__":
    print(experts_page(), end="")
