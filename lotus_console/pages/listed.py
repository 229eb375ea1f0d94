"""Answers out of rows that are all at hand: filtered, ordered and paged as a question asks."""

from typing import Any

from lotus_console.tables import Answer, Question


def of_list(rows: list[dict[str, Any]], question: Question, title: str) -> Answer:
    """Return the page of a question; rows without the value that it orders by come last."""
    found = [row for row in rows if all(str(row.get(name)) == value for name, value in question.filters.items())]
    if question.order:
        there = [row for row in found if row[question.order] is not None]
        there.sort(key=lambda row: row[question.order], reverse=question.is_descending)
        found = there + [row for row in found if row[question.order] is None]
    end = question.offset + question.limit
    return Answer(found[question.offset : end], len(found) > end, title)
