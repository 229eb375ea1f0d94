"""Windows of one detector and day as plain arrays, to be kept beside the day's sums for the nights that promote.

A night whose best rule passes the bar reads every window of its days; from the lake it would decode all detectors of
every day for one of them. Packing loses nothing that a night reads: floats stay 64 bits wide, payoffs and identities
are kept where they exist. Storing them is others' work; sums are `day_cube`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.learning.rows import DetectorRows, lanes_of
from lotus.priors.vocabulary import DEFAULT, Vocabulary

Facts = dict[str, str | int | float]
Arrays = dict[str, NDArray[np.generic]]
Packed = tuple[Mapping[str, str | int | float], Mapping[str, NDArray[Any]]]
_WHOLE = ("bins", "end_ms", "u0", "left", "share", "level", "weight", "p", "h", "f", "published", "payoff_p", "hit")


def packed_rows(rows: DetectorRows) -> tuple[Facts, Arrays]:
    """Return (facts, arrays) of the windows of one day; identities of windows that were not published are left out."""
    paid = ~np.isnan(rows.payoff_y)
    arrays: Arrays = {name: np.ascontiguousarray(getattr(rows, name)) for name in _WHOLE}
    arrays |= {"block": rows.block.astype(np.uint8), "asset": rows.asset.astype(np.uint16)}
    arrays["step"] = rows.step.astype(np.uint32)
    arrays |= {"source": rows.source.astype(np.uint8), "paid": paid, "payoff_y": rows.payoff_y[paid]}
    arrays["event_id"] = np.array([str(x) for x in rows.event_id[rows.published]], dtype=np.bytes_)
    facts: Facts = {"detector_id": rows.detector_id, "day": rows.days[0], "assets": "\n".join(rows.assets)}
    return facts | {"spec_version": rows.spec_version, "horizon_s": rows.horizon_s}, arrays


def joined_rows(parts: Sequence[Packed], days: tuple[str, ...], vocabulary: Vocabulary = DEFAULT) -> DetectorRows:
    """Return the windows of packed days (at least one) in the order of `days`; only the newest version counts."""
    newest = max(int(facts["spec_version"]) for facts, _ in parts)
    at = {day: i for i, day in enumerate(days)}
    kept = sorted((at[str(facts["day"])], i) for i, (facts, _) in enumerate(parts) if facts["spec_version"] == newest)
    found = [parts[i] for _, i in kept]

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([arrays[name] for _, arrays in found])

    sizes = [len(arrays["p"]) for _, arrays in found]
    day = np.repeat(np.array([d for d, _ in kept], dtype=np.int64), sizes)
    block = column("block").astype(np.int64)
    lane_day, lane = lanes_of(day, block)
    published, paid, ids = column("published"), column("paid"), column("event_id")
    payoff_y, event_id = np.full(len(day), np.nan), np.zeros(len(day), dtype=ids.dtype)
    payoff_y[paid], event_id[published] = column("payoff_y"), ids
    assets = [str(facts["assets"]).split("\n") for facts, _ in found]
    names = tuple(sorted(set().union(*assets)))
    places = (np.array([names.index(x) for x in own], dtype=np.int64) for own in assets)
    asset = np.concatenate([place[arrays["asset"]] for place, (_, arrays) in zip(places, found, strict=True)])
    return DetectorRows(
        vocabulary=vocabulary,
        detector_id=str(found[0][0]["detector_id"]),
        spec_version=newest,
        horizon_s=int(found[-1][0]["horizon_s"]),
        days=days,
        lane_day=lane_day,
        lane=lane,
        day=day,
        block=block,
        asset=asset,
        source=column("source").astype(np.int64),
        step=column("step").astype(np.int64),
        payoff_y=payoff_y,
        event_id=event_id,
        assets=names,
        published=published,
        **{name: column(name) for name in _WHOLE if name != "published"},
    )
