"""`lotus_console/tables.py`: rows at hand are filtered, ordered and paged like rows of the ledger."""

from lotus_console.tables import Question, of_list


def test_rows_without_a_value_come_last_and_a_page_knows_of_more() -> None:
    rows = [{"asset": name, "share": share} for name, share in (("A", 0.5), ("B", None), ("A", 0.9), ("A", 0.1))]
    found = of_list(rows, Question(order="share", is_descending=True, limit=3), "t")
    assert ([row["share"] for row in found.rows], found.has_more) == ([0.9, 0.5, 0.1], True)
    assert of_list(rows, Question(filters={"asset": "B"}), "t").rows == [{"asset": "B", "share": None}]
    assert of_list(rows, Question(offset=3, limit=3), "t").has_more is False
