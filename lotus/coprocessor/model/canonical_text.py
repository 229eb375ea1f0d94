"""A detector as the text that says it and nothing else: no comment, tag or anchor of whoever wrote it survives.

Reading the text gives the same detector. In the literature: canonical serialisation.
"""

import json

from lotus.detectors.spec import DetectorSpec, Parameter


def canonical_text(spec: DetectorSpec) -> str:
    """Return the canonical text of a signal, which `parse_spec` reads as this very spec; no entry and no triggers."""
    low, high = spec.band_s
    lines = [
        f"detector_id: {spec.detector_id}", f"family: {spec.family}", f"version: {spec.version}",
        f"status: {spec.status}", f"idea: {json.dumps(spec.idea, ensure_ascii=False)}", f"horizon: {spec.horizon_s}s",
        f"band: {low!r}s..{high!r}s", f"best_phase_deg: {spec.best_phase_deg!r}",
    ]  # fmt: skip
    lines += ["params:"] * bool(spec.params) + [_parameter(p) for p in spec.params]
    for section, named in (("frames", spec.frames), ("windows", spec.windows)):
        lines += [f"{section}:"] * bool(named) + [f"  {name}: {_quoted(text)}" for name, text in named]
    lines += [f"signal: {_quoted(spec.signal)}", *([f"require: {spec.require}"] if spec.require else [])]
    return "\n".join(lines) + "\n"


def _parameter(p: Parameter) -> str:
    value = f"{p.value!r}{'' if p.unit == '1' else p.unit}"
    return f"  {p.name}: {value}" if p.jitter else f"  {p.name}: {{ value: {value}, jitter: false }}"


def _quoted(expression: str) -> str:
    return json.dumps(" ".join(expression.split()))
