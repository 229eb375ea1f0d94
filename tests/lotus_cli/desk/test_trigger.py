"""`lotus trigger check` prints the one spelling of a trigger, or where it fails; it needs no home."""

import json

from click.testing import CliRunner

from lotus_cli.main import main


def test_a_trigger_is_printed_in_its_one_spelling() -> None:
    words = ["trigger", "check", "breakout(20,2σ) and retest(prev_high) within 6h", "--if", "spread_bps<5"]
    text = CliRunner().invoke(main, words).stdout
    assert text.splitlines()[0] == "breakout(20, 2sigma) AND retest(prev_high) WITHIN 6h IF spread_bps < 5"
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert found["valid"] is True
    assert [x["level"] for x in found["levels"]] == ["prev_high", "prev_high"]


def test_what_is_no_trigger_ends_with_1_and_its_place() -> None:
    done = CliRunner().invoke(main, ["trigger", "check", "touch(entry) and\nbreakot()", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["valid"], told["line"], told["column"], told["try"]) == (False, 2, 1, "breakout")
    plain = CliRunner().invoke(main, ["trigger", "check", "breakot()"])
    assert plain.exit_code == 1
    assert "try: breakout" in plain.stdout
