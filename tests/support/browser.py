"""A real browser for tests of pages: Debian's chromium under Playwright; skips with the reason where there is none.

Pictures go to `.artefacts/`, which git ignores and CI keeps. What a page should show does not belong here.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

ARTEFACTS = Path(__file__).resolve().parents[2] / ".artefacts"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 20_000.0


@dataclass(frozen=True, slots=True)
class Browser:
    """One tab that is let in at an address."""

    page: Page
    address: str

    def shown(self, path: str, name: str, *texts: str) -> str:
        """Open a path, wait until each text is seen, keep a picture under a name; return the text of the page."""
        self.page.goto(f"{self.address}{path}")
        for text in texts:
            self.page.get_by_text(text).first.wait_for(timeout=PATIENCE_MS)
        self.page.wait_for_timeout(700)  # what fades in
        self.keep(name)
        return self.page.inner_text("body")

    def keep(self, name: str) -> None:
        """Keep a picture of what is seen now."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")


@contextmanager
def browser(address: str, token: str) -> Iterator[Browser]:
    """Open a tab and let it in with the token that `lotus up` prints."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on this machine: `apt-get install chromium`, and the pages are looked at too")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        page = opened.new_page(viewport={"width": 1500, "height": 950})
        page.goto(f"{address}/?token={token}")
        yield Browser(page, address)
        opened.close()
