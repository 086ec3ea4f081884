"""Write the pictures of the README: `./run pictures`.

They show the dashboard of a made-up year that ends today, as a real browser does.
"""

from __future__ import annotations

import datetime
import shutil
import sys
import tempfile
from pathlib import Path

from harness import NAMES, serving
from playwright.sync_api import sync_playwright
from test_areas import DRAWN, address_of

from smartshopie_db import demo

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "img"
# area, theme, width, height
PICTURES = (
    ("overview", "light", 1280, 1100),
    ("revenue", "dark", 1280, 1100),
    ("customers", "light", 1280, 1100),
    ("overview", "dark", 390, 1100),
)


def main() -> None:
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        sys.exit("there is no chromium")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        today = datetime.datetime.now(datetime.UTC).date()  # else it is said to be old
        demo.generate(path, days=400, rows=5000, until=today)
        with serving(path, "--currency", "EUR") as server, sync_playwright() as api:
            browser = api.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            for area, theme, width, height in PICTURES:
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=theme
                )
                page.goto(address_of(server, area))
                page.wait_for_function(DRAWN)
                name = f"{area}-{theme}-{width}.png"
                page.screenshot(path=FOLDER / name)
                page.close()
                print(f"docs/img/{name}")
            browser.close()


if __name__ == "__main__":
    main()
