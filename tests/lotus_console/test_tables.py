"""What may be asked of a table, and what is refused before any text of a request could become SQL."""

import pytest

from lotus.errors import ConfigError
from lotus_console.pages.lessons import LESSONS


def test_a_question_has_only_what_the_table_declares() -> None:
    asked = LESSONS.asked({"state": "REFUSED", "order": "-uplift_bps", "page": "3", "limit": "20", "search": "oi"})
    assert (asked.filters, asked.order, asked.is_descending) == ({"state": "REFUSED"}, "uplift_bps", True)
    assert (asked.offset, asked.limit, asked.search) == (40, 20, "oi")


@pytest.mark.parametrize(
    "given",
    [
        {"order": "body"}, {"order": "-uplift_bps; DROP TABLE lessons"}, {"state": "x' OR 1=1"}, {"strange": "1"},
        {"page": "0"}, {"page": "-1"}, {"page": "1e9"}, {"page": "²"}, {"limit": "100000"}, {"page": "5000"},
    ],
)  # fmt: skip
def test_anything_else_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"expected|at most"):
        LESSONS.asked(given)
