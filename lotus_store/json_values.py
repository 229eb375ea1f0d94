"""Values as strict JSON can hold them. Files and databases are elsewhere."""

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: what is not a finite number becomes None, at any depth.

    >>> plain({"z": (1.0, float("nan"))})
    {'z': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
