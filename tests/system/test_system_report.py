"""The report as a reader meets it: opened in Chromium, at two widths and on paper, without a network."""

import base64
import csv
import io
import json
import shutil

import pytest
from playwright.sync_api import sync_playwright

pytestmark = [pytest.mark.system, pytest.mark.demo]
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert executable, "Chromium is missing. Next: bash tools/install-system-parts.sh"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=[390, 1200])
def page(request, browser, demo):
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda sent: page.asked.append(sent.url))
    page.goto((demo.out / "reports" / "portfolio.html").resolve().as_uri())
    yield page
    page.close()


def test_the_page_is_silent_and_asks_for_nothing_else(page):
    assert page.said == []
    assert len(page.asked) == 1


def test_nothing_runs_over_the_edge(page):
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_every_picture_is_drawn_and_has_a_table_and_a_csv(page, demo):
    figures = page.locator("section figure svg")
    assert figures.count() == 8
    for i in range(figures.count()):
        assert figures.nth(i).bounding_box()["height"] > 60
    assert page.locator("section details table").count() == figures.count()
    link = page.locator("a[download='policies.csv']").get_attribute("href")
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(link.partition(",")[2]).decode())))
    told = json.loads((demo.out / "evidence/evidence.json").read_text())["estimates"]
    raw = [row for row in told if row["measure"] == "contribution_per_customer" and row["method"] == "dr"]
    assert [float(row["value"]) for row in rows] == [row["value"] for row in raw if row["against"] is None]


def test_a_table_opens_and_paper_shows_it_anyway(page):
    table = page.locator("section details table").first
    assert not table.is_visible()
    page.emulate_media(media="print")
    assert table.is_visible()
    page.emulate_media(media="screen")
    page.locator("section summary").first.click(position={"x": 5, "y": 5})
    assert table.is_visible()


def test_the_first_sentence_holds_the_figure_and_its_interval(page):
    assert page.locator(".lead strong").first.inner_text().count("[") == 1


def test_it_prints(page):
    assert len(page.pdf(format="A4")) > 10_000


def test_the_file_is_small(demo):
    assert (demo.out / "reports" / "portfolio.html").stat().st_size < 3_000_000
