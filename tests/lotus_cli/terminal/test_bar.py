"""The line at the foot of a terminal shows the work at hand on standard error and goes away at its end."""

import pytest

from lotus_cli.terminal.bar import LiveBar


@pytest.mark.parametrize("share", [None, 0.0, 0.5, 1.0])
def test_the_bar_shows_name_and_state_and_never_touches_standard_output(
    share: float | None, capfd: pytest.CaptureFixture[str]
) -> None:
    bar = LiveBar(lambda: ("decode", share, "3 of 7 days"))
    bar.line("a line above")
    bar.end()
    out, error = capfd.readouterr()
    assert out == ""
    assert "decode" in error
    assert "3 of 7 days" in error
    assert "a line above" in error


def test_the_bar_asks_for_its_row_again_when_it_is_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    names = ["first"]
    bar = LiveBar(lambda: (names[-1], None, ""))
    names.append("second")
    bar.line("x")
    bar.end()
    assert "second" in capfd.readouterr().err


def test_markup_in_a_line_is_printed_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    bar = LiveBar(lambda: ("[bold]n[/bold]", None, ""))
    bar.line("[red]not a colour[/red]")
    bar.end()
    error = capfd.readouterr().err
    assert "[red]not a colour[/red]" in error
    assert "[bold]n[/bold]" in error
