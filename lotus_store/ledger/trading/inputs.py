"""What the decision-maker was told, and where its book stands, in the dm database; every write may be repeated.

An input comes once and stays as it was; it may be taken back, before or after it came. What is over is forgotten:
the ticket of a decision names the views that it rests on. What the values mean is `lotus.decision`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lotus.decision.alphas import AlphaInput, CueInput
from lotus.decision.standing import Standing
from lotus_store.ledger.bodies import from_body, to_body
from lotus_store.postgres.queries import Connection, query


@dataclass(frozen=True, slots=True)
class RefusedInput:
    """An input that was not taken: `kind` is view or cue, `reasons` are all that was wrong with it."""

    kind: str
    event_id: str
    source: str
    coin: str
    window_end_ms: int
    reasons: tuple[str, ...]


def put_view(connection: Connection, branch: str, view: AlphaInput, context: str = "") -> None:
    """Keep a view until it is over, with the context of its window."""
    place = [branch, "view", view.event_id, view.source, view.coin, view.horizon_s]
    _put(connection, [*place, view.window_end_ms, view.valid_until_ms, to_body(view), [], context])


def put_cue(connection: Connection, branch: str, cue: CueInput, valid_until_ms: int) -> None:
    """Keep budget cues until they are too old to count."""
    place = [branch, "cue", cue.event_id, cue.source, cue.coin, 0]
    _put(connection, [*place, cue.window_end_ms, valid_until_ms, to_body(cue), [], ""])


def put_refused(connection: Connection, branch: str, refused: RefusedInput, until_ms: int) -> None:
    """Keep that an input was not taken, and why."""
    place = [branch, refused.kind, refused.event_id, refused.source, refused.coin, 0, refused.window_end_ms]
    _put(connection, [*place, until_ms, "{}", list(refused.reasons), ""])


def withdraw_view(
    connection: Connection, branch: str, event_id: str, time_ms: int, valid_until_ms: int, reason: str
) -> None:
    """Take a view back; one that comes after this was taken back already."""
    connection.execute(query("dm", "withdraw_input"), [branch, event_id, time_ms, valid_until_ms, reason])


def view_time(connection: Connection, branch: str, event_id: str) -> int | None:
    """Return the end of the window of a view (event time, ms), whatever became of it; None for one not there."""
    row = connection.execute(query("dm", "input_time"), [branch, event_id]).fetchone()
    return None if row is None else int(row[0])


@dataclass(frozen=True, slots=True)
class BookInputs:
    """What a book is decided on at a time.

    `last_ms` is the end of the last window that was decided for it (-1 before one), `standing` where it stands. Of each
    source, coin and horizon `views` holds the one that lives longest, `contexts` by coin the context of the newest
    window among them.
    """

    last_ms: int
    standing: Standing
    views: list[AlphaInput]
    cues: list[CueInput]
    contexts: dict[str, str]


def book_inputs(connection: Connection, branch: str, portfolio_id: str, now_ms: int) -> BookInputs:
    """Return what a book is decided on; in a pipeline of the caller the questions travel together.

    One opened here would wait for the server at its beginning and at its end.
    """
    at = {"branch": branch, "now_ms": now_ms}
    standing = connection.execute(query("dm", "book_standing"), [branch, portfolio_id])
    views = connection.execute(query("dm", "live_views"), at)
    cues = connection.execute(query("dm", "live_cues"), at)
    contexts = connection.execute(query("dm", "live_contexts"), at)
    last_ms, body = standing.fetchone() or (-1, None)
    return BookInputs(
        last_ms,
        Standing() if body is None else from_body(body, Standing),
        [from_body(row[0], AlphaInput) for row in views],
        [from_body(row[0], CueInput) for row in cues],
        {str(coin): str(context) for coin, context in contexts},
    )


def refused_inputs(connection: Connection, branch: str) -> list[RefusedInput]:
    """Return what was not taken and is still remembered, oldest first."""
    rows = list(connection.execute(query("dm", "refused_inputs"), [branch]))
    return [
        RefusedInput(kind=kind, event_id=name, source=source, coin=coin, window_end_ms=at_ms, reasons=tuple(why))
        for kind, name, source, coin, at_ms, why in rows
    ]


def forget_inputs(connection: Connection, branch: str, now_ms: int) -> int:
    """Forget what is over; return how many."""
    return connection.execute(query("dm", "forget_inputs"), [branch, now_ms]).rowcount


def put_standing(
    connection: Connection, branch: str, portfolio_id: str, window_end_ms: int, standing: Standing, *, is_lazy: bool
) -> bool:
    """Write where a book stands after a window; return False when that window or a later one was decided before.

    A lazy transaction does not wait for the disk: a power cut may forget it, a kill does not.
    """
    if is_lazy:
        connection.execute(query("common", "lazily_once"))
    values = [branch, portfolio_id, window_end_ms, to_body(standing)]
    return connection.execute(query("dm", "put_book_standing"), values).fetchone() is not None


def _put(connection: Connection, values: Sequence[Any]) -> None:
    connection.execute(query("dm", "put_input"), values)
