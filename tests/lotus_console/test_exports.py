"""Downloads: every column of every page of rows, types kept, and no text that a spreadsheet would run."""

import csv
import io

import pyarrow.parquet as pq

from lotus_console.exports import csv_lines, parquet_bytes
from lotus_console.reading import HomeReading
from lotus_console.tables import LARGEST_PAGE, Answer, Question, ShownColumn, Table, ValueKind
from lotus_store.config import Settings
from lotus_store.databases import Databases

ROWS = 2 * LARGEST_PAGE + 3
COLUMNS = (ShownColumn("name", "name"), ShownColumn("n", "n", ValueKind.COUNT, is_shown=False),
           ShownColumn("x", "x", ValueKind.BPS, "bps"))  # fmt: skip


def paged(_reading: HomeReading, question: Question) -> Answer:
    rows = [{"name": "=1+1" if k == 0 else f"row {k}", "n": k, "x": None if k % 2 else k / 3} for k in range(ROWS)]
    here = rows[question.offset : question.offset + question.limit]
    return Answer(here, question.offset + question.limit < ROWS)


TABLE = Table("made", "made", "?", COLUMNS, paged)


def test_csv_holds_every_row_and_its_texts_are_no_formulas(settings: Settings, databases: Databases) -> None:
    text = b"".join(csv_lines(HomeReading(settings, databases), TABLE, Question())).decode()
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["name", "n", "x"]
    assert len(rows) == ROWS
    assert rows[0][0] == "'=1+1"
    assert rows[1][2] == ""


def test_parquet_holds_the_same_with_types_and_units(settings: Settings, databases: Databases) -> None:
    table = pq.read_table(io.BytesIO(parquet_bytes(HomeReading(settings, databases), TABLE, Question())))
    assert table.num_rows == ROWS
    assert [str(t) for t in table.schema.types] == ["string", "int64", "double"]
    assert table.schema.field("x").metadata[b"unit"] == b"bps"
    assert table.column("x").null_count == ROWS // 2
