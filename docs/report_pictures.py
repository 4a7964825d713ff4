"""Takes the picture of docs/report.md: the report of a made-up line, as the tests have it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.report.making import report_of, rows_of  # noqa: E402
from twin.report.page import html  # noqa: E402

PICTURE = ROOT / "docs" / "images" / "report.png"


def main() -> None:
    """Write the picture."""
    browser = shutil.which("chromium") or sys.exit("pictures need chromium; ./dev test installs it")
    text = html(report_of(rows_of()))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text(text, "utf-8")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
            page = chromium.new_page(viewport={"width": 1040, "height": 1400})
            page.goto(file.as_uri())
            page.screenshot(path=PICTURE)
            chromium.close()


if __name__ == "__main__":
    main()
