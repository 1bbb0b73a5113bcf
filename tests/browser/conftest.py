import pytest

from browsing import CHROMIUM, FLAGS, Visit, needs_chromium, shop_site


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    needs_chromium()
    with shop_site(tmp_path_factory.mktemp("site")) as url:
        yield url


# One browser a file: while it is open, its driver keeps an event loop on this thread, and other
# tests could start none.
@pytest.fixture(scope="module")
def chromium():
    needs_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(site, chromium):
    opened = Visit(chromium, site)
    yield opened
    assert opened.abroad() == []
    assert opened.ran() == [0, 0]
    opened.context.close()
