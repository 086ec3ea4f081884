"""The page for those who use no mouse, or hear it: keys, names, contrast."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_areas import AREAS, visit

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(open_page, server, theme, width):
    watched = open_page(width=width, theme=theme, reduced_motion="reduce")
    for area in AREAS:
        page = visit(watched, server, area)
        for details in page.locator("details").all():
            details.evaluate("found => { found.open = true }")
        found = Axe().run(page, options=RULES)
        assert not found.response["violations"], f"{area}: {found.generate_report()}"


def focused(page):
    return page.evaluate(
        """() => {
            const at = document.activeElement, box = at.getBoundingClientRect();
            const style = getComputedStyle(at);
            return {id: at.id, tag: at.tagName, seen: box.width > 0 && box.height > 0,
                    ring: style.outlineStyle != 'none' || style.boxShadow != 'none'};
        }"""
    )


def test_every_control_is_reached_by_tab_and_shows_it(open_page, server):
    page = visit(open_page(), server, "overview")
    wanted = page.evaluate(
        """() => [...document.querySelectorAll(
            'a[href], button, input:not([type=hidden]), summary, [tabindex="0"]')]
            .filter(found => found.checkVisibility()).map(found => found.id)"""
    )
    reached = []
    for _ in range(len(wanted) + 40):
        page.keyboard.press("Tab")
        at = focused(page)
        if at["tag"] == "BODY":
            break
        reached.append(at["id"])
        assert at["seen"] and at["ring"], at
    assert set(filter(None, wanted)) <= set(reached)


def test_the_first_key_skips_to_the_content(open_page, server):
    page = visit(open_page(), server, "overview")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    assert page.evaluate("document.activeElement.id") in ("main", "")


def test_going_to_an_area_by_key_moves_the_focus_and_the_title(open_page, server):
    page = visit(open_page(), server, "overview")
    page.focus("#nav-revenue")
    page.keyboard.press("Enter")
    page.wait_for_url("**/revenue")
    page.wait_for_function("() => document.activeElement.id == 'title'")
    assert page.title().startswith("Revenue")


def test_the_theme_is_chosen_and_kept(open_page, server):
    page = visit(open_page(theme="light"), server, "overview")
    dark = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(dark)
    for _ in range(3):
        page.click("#theme")
        if page.evaluate(dark) != before:
            break
    after = page.evaluate(dark)
    assert after != before
    page.reload()
    assert page.evaluate(dark) == after
