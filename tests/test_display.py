"""What a notebook shows: a bounded table or card in which stored text is only text."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

# Each would run, load or break out of something if it arrived as HTML.
PAYLOADS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//x.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror='alert(1)'>",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "</td></tr></table><script>alert(1)</script>",
    "</caption><svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1)</script>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<audio src onloadstart=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>x",
    "<style>@import '//x.example/x.css';</style>",
    "<link rel=stylesheet href=//x.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//x.example'>",
    "<base href=//x.example>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\x00<script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "$\\href{javascript:alert(1)}{x}$",
    "\u202e<script>alert(1)</script>\u2028",
    "`onmouseover=alert(1)//",
    '" style="background:url(javascript:alert(1))" x="',
]
assert len(PAYLOADS) >= 40

TAGS = {
    *("div", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("small", "br", "em", "b"),
}
ATTRIBUTES = {"class", "style", "scope", "dir", "colspan"}


class Page(HTMLParser):
    """The tags, the cells of each row, and that nothing else is there."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.rows, self.open, self.text, self.caption = [], [], "", ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS, tag
        assert {name for name, _ in attributes} <= ATTRIBUTES
        if tag != "br":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th", "caption"):
            self.text = ""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.rows[-1].append(self.text)
        elif tag == "caption":
            self.caption = self.text

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def html(shown):
    return shown._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_stored_text_is_text(db, payload):
    visible = "".join(chr(0x2400 + ord(c)) if c < " " else c for c in payload)
    rows = db.query("SELECT ? AS x, ? AS y", [payload, payload * 40])
    page = Page(html(rows))
    assert page.rows[1][0] == visible
    assert page.rows[1][1].startswith(visible)
    assert len(page.rows[1][1]) <= 201
    assert Page(html(rows[0])).rows[0] == ["x", visible]


@pytest.mark.parametrize("payload", PAYLOADS[:6] + PAYLOADS[30:34])
def test_names_of_columns_are_text(db, payload):
    name = payload.replace('"', "")
    rows = db.query(f'SELECT 1 AS "{name}"')
    assert Page(html(rows)).rows[0] == [name]
    assert Page(html(rows[0])).rows[0] == [name, "1"]


def test_rows(demo):
    rows = demo.conversion_funnel.select()[:3]
    page = Page(html(rows))
    assert page.caption == f"conversion_funnel: 3 rows, {len(rows.columns)} columns"
    units = [rows[name].unit or "" for name in rows.columns]
    assert page.rows[0] == [a + b for a, b in zip(rows.columns, units, strict=True)]
    assert any(units)
    for row, shown in zip(rows.to_list(), page.rows[1:], strict=True):
        assert shown == [str(cell) for cell in row]


@pytest.mark.parametrize("n", [0, 1, 20, 21, 1000])
def test_many_rows_show_both_ends(db, n):
    rows = db.query(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i FROM n LIMIT ?",
        [n],
    )
    shown = [row[0] for row in Page(html(rows)).rows[1:]]
    if n <= 20:
        assert shown == [str(i + 1) for i in range(n)]
    else:
        ends = [*range(1, 6), f"{n - 10} more rows", *range(n - 4, n + 1)]
        assert shown == [str(part) for part in ends]
    assert [row[0] for row in Page(html(rows[::-1])).rows[1:]] == shown[::-1]


def test_none_is_not_the_text_none(db):
    page = html(db.query("SELECT NULL AS a, 'None' AS b, x'00ff' AS c, 9e999 AS d"))
    assert '<em style="opacity:.6">None</em></td>' in page
    assert ">None</td>" in page
    assert Page(page).rows[1] == ["None", "None", "2 bytes", "inf"]


def test_numbers_stand_right(db):
    page = html(db.query("SELECT 1.5 AS a, 'x' AS b"))
    assert 'style="text-align:right">1.5<' in page
    assert 'style="text-align:left">x<' in page


def test_no_colours_but_the_notebooks(demo):
    for table in demo.tables.values():
        assert "color" not in html(table.select()) + html(table.select()[0])


def test_a_record_is_a_card(demo):
    record = demo.get_overview_kpis()
    page = Page(html(record))
    assert page.caption == "OverviewKPI"
    assert [row[1] for row in page.rows] == [str(cell) for cell in record.values()]
    names = [row[0] for row in page.rows]
    assert all(a.startswith(b) for a, b in zip(names, record.keys(), strict=True))
    assert Page(html(demo.query("SELECT 1 AS a")[0])).caption == "Row"


def test_secrets_show_their_end(demo):
    rows = demo.api_configurations.select()
    keys = [key for key in rows["api_key"].to_list() if key]
    free = demo.query("SELECT api_key FROM api_configurations")
    assert keys
    for shown in (rows, rows[0], free):
        text = str(shown._repr_mimebundle_())
        assert f"...{keys[0][-4:]}" in text
        assert keys[0] not in text


def test_what_is_not_utf8_is_shown(db):
    rows = db.query("SELECT 1 AS a, CAST(x'41ff42' AS TEXT) AS b")
    page = Page(rows._repr_mimebundle_(include=["text/html"])["text/html"])
    assert page.rows[1] == ["1", "A\ufffdB"]
    assert "text/plain" in rows._repr_mimebundle_()
    for shown in (rows, rows[0], rows["b"]):
        assert "A\ufffdB" in repr(shown)


def test_very_many_columns(db):
    sql = "SELECT " + ", ".join(f"{i} AS c{i}" for i in range(200))
    page = Page(html(db.query(sql)))
    assert page.caption == "1 row, 200 columns (the first 64 are shown)"
    assert len(page.rows[0]) == len(page.rows[1]) == 64


def test_only_what_is_wanted(demo):
    record = demo.get_overview_kpis()
    both = record._repr_mimebundle_()
    assert both["text/plain"] == repr(record)
    assert set(both) == {"text/plain", "text/html"}
    rows = demo.get_interaction_types()
    assert set(rows._repr_mimebundle_(include={"text/html"})) == {"text/html"}
    assert set(rows._repr_mimebundle_(None, {"text/html"})) == {"text/plain"}
    with pytest.raises(TypeError, match="did you mean 'include'"):
        rows._repr_mimebundle_(includ=None)


def test_days_and_instants(db):
    at = datetime(2025, 10, 28, 5, 42, 44, 1000, tzinfo=UTC)
    db.customer_interactions.add(
        interaction_id="a", interaction_date=at, interaction_type="chat"
    )
    rows = db.customer_interactions.select(columns="interaction_date")
    assert Page(html(rows)).rows[1] == ["2025-10-28 05:42:44.001000"]
