"""A detector's file as a candidate: its parameters and named windows put into its signal, one expression.

What a person writes walks the road of what is bred: the same charge, the same bar, the same days to come.
"""

from lotus.coprocessor.genome import Genome, read, rewritten
from lotus.coprocessor.grammar import spelling_of
from lotus.detectors.entry_style import EntryPlan
from lotus.detectors.spec import DetectorSpec, Parameter
from lotus.errors import ConfigError
from lotus.tape_machine.parser import parse
from lotus.tape_machine.syntax import Name, Number, Tree, Unary


def genome_of(spec: DetectorSpec, window_ms: int) -> Genome:
    """Return the candidate of a specification.

    Raises `ConfigError` for one that says more than a signal over window columns: frame expressions, a way of entry, a
    trigger, a requirement; and as `read` does.
    """
    more = {
        "frames": bool(spec.frames), "entry": spec.entry != EntryPlan(), "triggers": bool(spec.triggers),
        "require": bool(spec.require),
    }  # fmt: skip
    if any(more.values()):
        named = ", ".join(name for name, there in more.items() if there)
        cause = "candidates are judged by their signal on windows alone"
        raise ConfigError(f"{spec.detector_id} has {named}", "params, windows and a signal", cause)
    meant = {p.name: _literal(p) for p in spec.params}

    def put_in(tree: Tree) -> Tree:
        return rewritten(tree, lambda part: meant.get(part.name, part) if isinstance(part, Name) else part)

    for name, text in spec.windows:
        meant[name] = put_in(parse(text))
    return read(put_in(parse(spec.signal)), spec.horizon_s, window_ms)


def _literal(param: Parameter) -> Tree:
    number = Number(abs(param.value), spelling_of(param.unit) or "")
    return Unary("-", number) if param.value < 0.0 else number
