"""The algebra of braids: what an operator makes of its parents' patches, and which parents a braid may have.

Composition happens at run time, window by window (`lotus.priors.compiled`, traced by `lotus.priors.trace`); here the
same operators act on patches as values, so that their laws can be stated and candidates be judged before they act. A
board of braids is a DAG of three scales. In the literature: a rule algebra with bounded, log-linear effects.
"""

from collections.abc import Mapping, Sequence

from lotus.errors import BeliefError
from lotus.priors.trace import composed, fires
from lotus.priors.types import Knob, Op, Patch
from lotus.weave.braid import Braid

MIN_WEIGHT = 0.01  # a UNION weighs its parents by max(BQS, .01)
SCALE = {"micro": 0, "meta": 1, "field": 2}
MAX_DEPTH = 2  # above micro
_MANY = ("UNION", "INTERSECT", "EXCEPT")


def compose(
    op: Op, parents: Sequence[Patch], hit: Sequence[bool], weights: Sequence[float] = (), strength: float = 1.0
) -> Patch | None:
    """Return the patch of an operator on a window where `hit` says which parents fire; None where it does not fire.

    Knobs compose as phi does; a parent without a knob leaves it where it is.
    """
    if not fires(op, hit):
        return None
    weights = weights or [1.0] * len(parents)
    acting = [(p, w) for p, w, h in zip(parents, weights, hit, strict=True) if h]
    if op not in _MANY[:2]:
        acting = [(parents[0], 1.0)]

    def whole(parts: list[tuple[float, float, float]]) -> tuple[float, float]:
        parts = sorted(parts)
        return composed(op, [(theta, phi) for theta, phi, _ in parts], [w for _, _, w in parts], strength)

    keys = sorted({knob.key for p, _ in acting for knob in p.knobs})
    knobs = tuple(Knob(key, whole([(0.0, p.knob(key), w) for p, w in acting])[1]) for key in keys)
    return Patch(*whole([(p.theta_delta, p.phi_mult, w) for p, w in acting]), knobs)


def union_weights(parents: Sequence[Braid]) -> tuple[float, ...]:
    """Return the weights of a UNION, max(BQS, .01) each."""
    return tuple(max(parent.quality.bqs, MIN_WEIGHT) for parent in parents)


def check_parents(braid: Braid, board: Mapping[str, Braid]) -> Braid:
    """Return the braid when its parents are on the board, of a lower scale, and no cycle or chain too deep leads up.

    Raises `BeliefError` naming the parent: missing, of a higher or equal scale, in a cycle, or deeper than two.
    """
    what = f"{braid.braid_type} braid {braid.braid_id}"
    if (braid.braid_type == "micro" or braid.experiment is not None) == bool(braid.parents):
        expected = "none for micro braids and experiments, some for the others"
        raise BeliefError(f"{what} has {len(braid.parents)} parents", expected)
    if braid.op in _MANY and len(set(braid.parents)) < 2:
        raise BeliefError(f"{what} composes {braid.parents} by {braid.op}", "two different parents or more")
    _check_above(braid, board, (braid.braid_id,))
    return braid


def _check_above(braid: Braid, board: Mapping[str, Braid], path: tuple[str, ...]) -> None:
    for name in braid.parents:
        if name in path:
            raise BeliefError(f"braid {name} is its own ancestor by {' -> '.join(path)}", "no cycle")
        parent = board.get(name)
        if parent is None:
            raise BeliefError(
                f"braid {braid.braid_id} names the parent {name}", "a braid on the board", "it is missing"
            )
        if SCALE[parent.braid_type] >= SCALE[braid.braid_type]:
            found = f"{braid.braid_type} braid {braid.braid_id} has the {parent.braid_type} braid {name} as parent"
            raise BeliefError(found, "parents of a lower scale")
        if len(path) > MAX_DEPTH:
            raise BeliefError(f"braid {path[0]} stands {len(path)} steps above {name}", f"at most {MAX_DEPTH}")
        _check_above(parent, board, (*path, name))
