"""How soon a click shows figures and charts, on loopback.

What is promised is 300 ms and 1.5 s on two free cores; a busy machine gets four times
that before the test fails, and the median is printed."""

from __future__ import annotations

import statistics

from test_areas import DRAWN, visit

WATCH = """(name) => {
    const start = performance.now();
    window.took = {};
    document.getElementById('nav-' + name).click();
    const look = () => {
        const now = performance.now() - start;
        if (document.title.startsWith(window.wanted[name])) {
            window.took.figures ??= now;
            const plots = [...document.querySelectorAll('[data-chart] .plot')];
            if (plots.every(plot => plot.querySelector('svg.main-svg')))
                window.took.charts ??= now;
        }
        if (!window.took.charts) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]"
TITLES = {"revenue": "Revenue", "overview": "Overview", "customers": "Customers"}


def test_figures_and_charts_come_soon_after_the_click(open_page, server):
    page = visit(open_page(), server, "overview")
    page.evaluate("titles => { window.wanted = titles }", TITLES)
    took = {"figures": [], "charts": []}
    for name in ("revenue", "customers", "overview") * 3:
        page.evaluate(WATCH, name)
        page.wait_for_function("() => window.took.charts")
        for what, milliseconds in page.evaluate("window.took").items():
            took[what].append(milliseconds)
    middle = {what: statistics.median(all) for what, all in took.items()}
    print(middle)
    assert middle["figures"] < 4 * 300 and middle["charts"] < 4 * 1500


def test_a_first_visit_is_quick_as_well(open_page, server):
    watched = open_page()
    watched.page.goto(server + "/", wait_until="commit")
    watched.page.wait_for_function(DRAWN)
    charts = watched.page.evaluate("performance.now()")
    paint = watched.page.wait_for_function(PAINTED).json_value()  # it is told late
    times = {"charts": charts, "figures": paint["startTime"]}
    print(times)
    assert times["figures"] < 4 * 300 and times["charts"] < 4 * 1500
