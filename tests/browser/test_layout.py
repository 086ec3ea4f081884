"""No word is hidden by another, and no amount is broken over two lines."""

from __future__ import annotations

import datetime

import pytest
from harness import UNTIL, serving
from test_areas import visit

from smartshopie_db import SmartShopieDB

LONG = "Questionnaire Guidance for Sensitive Skin"
REVENUE = 1_471_794.18  # of a day
CARDS = """() => [...document.querySelectorAll('.card')].map(card => {
    const words = document.createRange();
    const label = card.querySelector('h3');
    words.selectNodeContents((label.querySelector('a') || label).firstChild);
    const spark = card.querySelector('.spark');
    const figure = card.querySelector('.figure');
    return {
        row: card.offsetTop,
        name: words.toString(),
        words: Math.max(...[...words.getClientRects()].map(box => box.right)),
        line: spark && getComputedStyle(spark).display != 'none'
            ? spark.getBoundingClientRect().left : Infinity,
        lines: figure.clientHeight / parseFloat(getComputedStyle(figure).lineHeight),
    };
})"""
NAMES = """() => [...document.querySelectorAll(
    '[data-chart=feature_performance] .annotation-text')].map(line => {
    const { left, right } = line.getBoundingClientRect();
    return { text: line.textContent, left, right };
})"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A server of a shop with long names and large amounts."""
    path = tmp_path_factory.mktemp("large") / "shop.db"
    with SmartShopieDB(path) as db:
        for i in range(10):
            day = UNTIL - datetime.timedelta(days=i)
            db.add_overview_kpis(record_date=day, revenue_impact=REVENUE + i % 2)
            db.add_product_analytics(
                record_date=day, product_id="P", product_name=LONG, category="Skin",
                revenue=REVENUE, views=10, ai_recommendations=5, purchases=i,
            )  # fmt: skip
        db.ai_feature_performance.add(
            record_date=UNTIL, feature_name=LONG, usage_count=9, success_rate=0.5,
            user_satisfaction=0.5,
        )  # fmt: skip
    with serving(path) as address:
        yield address


@pytest.mark.parametrize("width", [320, 390, 600, 768, 820, 1024, 1280, 1366, 1600])
def test_cards_keep_label_line_and_figure_apart(open_page, large, width):
    watched = open_page(width=width)
    for area in ("overview", "products"):
        for card in visit(watched, large, area).evaluate(CARDS):
            assert card["words"] < card["line"], (area, card)
            assert card["lines"] < 1.5, (area, card)


@pytest.mark.parametrize("width", [600, 640, 820, 850, 851, 980, 1110, 1111, 1280])
def test_no_card_of_four_stands_alone(open_page, large, width):
    page = visit(open_page(width=width), large, "overview")
    rows = [card["row"] for card in page.evaluate(CARDS)]
    assert sorted(map(rows.count, set(rows))) in ([4], [2, 2])


def test_a_name_ends_before_its_figure(open_page, large):
    page = visit(open_page(width=1280), large, "ai")
    page.wait_for_function("() => document.documentElement.dataset.charts == 'drawn'")
    name, figure = page.evaluate(NAMES)
    assert name["text"] != LONG and name["text"].endswith("…")
    assert name["right"] < figure["left"]
    page.set_viewport_size({"width": 2000, "height": 900})
    page.wait_for_function(
        f"() => ({NAMES})()[0].text.length > {len(name['text'])}", timeout=20_000
    )
