"""Take the pictures of README and docs from the real report of the demo, in headless Chromium.

python tools/take_pictures.py
"""

import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "examples/reengagement/out/reports/portfolio.html"
PICTURES = ROOT / "docs/pictures"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH = 860


def main() -> None:
    """Write one picture of the top of the page and one of each section that README shows."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        raise SystemExit("Chromium is missing. Next: bash tools/install-system-parts.sh")
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(REPORT.as_uri())
        page.screenshot(path=PICTURES / "report.png", clip=_top(page), full_page=True)
        for name, title in (
            ("evidence", "What each policy was worth"),
            ("choices", "How one customer's offer is chosen"),
        ):
            page.locator("section", has=page.get_by_role("heading", name=title)).screenshot(
                path=PICTURES / f"{name}.png"
            )
        browser.close()


def _top(page: Page) -> dict[str, float]:
    """Return the clip from the top of the page to the end of its first picture."""
    end = page.locator("section").first.bounding_box()
    assert end is not None
    return {"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"]}


if __name__ == "__main__":
    main()
