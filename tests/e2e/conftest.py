"""A browser, a server with the samples, and a visitor of its page, for tests of the page."""

import pytest

from tests.e2e.page_visitor import ARGUMENTS, CHROMIUM, PATIENCE, Visitor, serving


@pytest.fixture(scope='session')
def browser():
    sync_api = pytest.importorskip('playwright.sync_api', reason='pip install playwright')
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, timeout=PATIENCE * 1000, args=ARGUMENTS
        )
        yield opened
        opened.close()


@pytest.fixture(scope='session')
def address():
    """The page with the samples, served by the tool with the shipped weights."""
    pytest.importorskip('fastapi', reason='the page needs a web server: pip install ".[app]"')
    pytest.importorskip('fonticon_mdi7', reason='the sample scenes need the pictograms')
    with serving('--points-per-side', 12, '--max-megabytes', 3, '--max-megapixels', 13) as server:
        yield server.address


@pytest.fixture
def visitor(browser, address):
    made = Visitor(browser, address)
    yield made
    made.close()
