"""The OpenAPI document is valid, says what the routes do, and is a page for people."""

from __future__ import annotations

import datetime
import html.parser
import json
import os
import re
import shlex
import urllib.parse

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from smartshopie_db import demo
from smartshopie_db.reports import REPORTS
from smartshopie_db.web import create_app

TOKEN = "a-token-of-some-length"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "identity"}
DOCUMENT = "/api/v1/openapi.json"
SOAK = bool(os.environ.get("SMARTSHOPIE_SOAK"))
EXAMPLES = 30 if SOAK else 2
# What a schema cannot say: how parameters go together, and texts with a form inside.
BEYOND = ("bad_combination", "bad_token", "bad_csv", "bad_json")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    file = tmp_path_factory.mktemp("openapi") / "shop.db"
    demo.create(file)
    app = create_app(db=file, writes=True, token=TOKEN)
    yield app
    app.extensions["smartshopie"].db.close()


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """An app whose data no test changes."""
    file = tmp_path_factory.mktemp("page") / "shop.db"
    demo.create(file)
    app = create_app(db=file, writes=True, token=TOKEN)
    yield app
    app.extensions["smartshopie"].db.close()


@pytest.fixture(scope="module")
def document(app):
    return app.test_client().get(DOCUMENT).get_json()


def test_the_document_is_valid(document):
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_days_to_compare_with_are_days(document):
    pattern = document["components"]["parameters"]["to"]["schema"]["pattern"]
    days = (datetime.date(2023, 1, 1) + datetime.timedelta(i) for i in range(365))
    assert all(re.search(pattern, f"{d}..{d}") for d in days)
    for no in ("4443-57-19", "2025-02-30", "2025-04-31", "2025-00-10", "0000-01-01"):
        assert not re.search(pattern, f"{no}..2025-01-01"), no
        assert not re.search(pattern, f"2025-01-01..{no}"), no


def test_every_route_but_the_pages_is_in_it(app, document):
    said = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    tables = list(app.extensions["smartshopie"].db.tables)
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(("smartshopie.api.", "smartshopie.page.")):
            continue
        if rule.endpoint.endswith(".no_slash"):  # leads to one that is
            continue
        path = rule.rule.replace("<int(signed=True):id>", "{id}")
        paths = [path.replace("<table>", t) for t in tables] if "<" in path else [path]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert any((method, path) in said for path in paths), rule
    for method, path in said:
        adapter = app.url_map.bind("localhost")
        assert adapter.match(path.replace("{id}", "1"), method)


def test_every_route_of_the_dashboard_is_in_it(document):
    for path in REPORTS:
        assert f"/api/{path}" in document["paths"]


def test_every_column_that_is_no_secret_is_a_filter(app, document):
    for table in app.extensions["smartshopie"].db.tables.values():
        asked = document["paths"][f"/api/v1/tables/{table.name}"]["get"]["parameters"]
        names = {part.get("$ref", "").rpartition("/")[2] for part in asked}
        for column in table.schema:
            named = f"{table.name}.{column['name']}"
            assert (named in names) != column["secret"]


def test_the_document_costs_nothing_again(app):
    client = app.test_client()
    first = client.get(DOCUMENT)
    tag = first.headers["ETag"]
    same = client.get(DOCUMENT, headers={"If-None-Match": tag})
    assert (same.status_code, same.data) == (304, b"")
    other = client.get(DOCUMENT, headers={"Host": "127.0.0.1:99"})
    assert other.data == first.data and other.headers["ETag"] == tag


# ---- requests made of the document ---------------------------------------------------


@schemathesis.serializer("application/x-ndjson")
def as_it_is(ctx, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.check
def what_fits_is_taken(ctx, response, case):
    """A request as the document says is refused only for what that cannot say."""
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    if case.operation.tags == ["dashboard"]:
        return  # these say bad_parameter also of those that do not go together
    if response.status_code in (400, 422):
        error = response.json()["error"]
        texts = case.media_type in ("text/csv", "application/x-ndjson")
        assert error["code"] in BEYOND or texts, response.text


# The document of an app without data: which tests there are is known before they run.
SCHEMA = schemathesis.openapi.from_wsgi(
    DOCUMENT, create_app(db=":memory:", writes=True, token=TOKEN)
)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


def check(operation, mode, app, phases):
    operation.app = operation.schema.app = app

    @settings(
        max_examples=EXAMPLES,
        derandomize=not SOAK,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        validate(case, case.call(headers=HEADERS))

    run()


def validate(case, response):
    case.validate_response(
        response,
        additional_checks=[what_fits_is_taken],
        excluded_checks=[positive_data_acceptance],
        headers=HEADERS,
        transport_kwargs={"headers": HEADERS},
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name)
@pytest.mark.parametrize("tag", sorted({o.tags[0] for o in OPERATIONS}))
def test_each_operation_does_what_the_document_says(app, tag, mode):
    for operation in OPERATIONS:
        asks = list(operation.iter_parameters()) or operation.body
        if operation.tags[0] == tag and (asks or mode.is_positive):
            check(operation, mode, app, [Phase.explicit, Phase.generate])


SOME = r"/v1/$|openapi|tables$|dashboard|api_configurations"
LIMITS = SCHEMA if SOAK else SCHEMA.include(path_regex=SOME)


@pytest.mark.slow
@LIMITS.parametrize()
@settings(max_examples=1, derandomize=True, deadline=None, database=None)
def test_each_limit_of_the_document_is_one(app, case):
    """Values at, below and above every limit; other methods, types, lengths."""
    case.operation.app = case.operation.schema.app = app
    validate(case, case.call(headers=HEADERS))


# ---- the page ------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.ids, self.attributes = [], [], [], set()
        self.blocks, self.within = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attrs = dict(attrs)
        self.attributes |= attrs.keys()
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if tag == "a" else []
        if tag == "pre":
            self.within = True
            self.blocks.append("")

    def handle_endtag(self, tag):
        self.within = self.within and tag != "pre"

    def handle_data(self, text):
        if self.within:
            self.blocks[-1] += text


@pytest.fixture(scope="module")
def page(clean):
    answer = clean.test_client().get(
        "/api/v1/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    )
    assert answer.status_code == 200 and answer.mimetype == "text/html"
    return Page(answer.text)


def test_every_link_of_the_page_works(clean, page):
    client = clean.test_client()
    within = [link for link in page.links if link.startswith("#")]
    assert {link[1:] for link in within} <= set(page.ids)
    links = {link for link in page.links if not link.startswith("#")}
    assert len(links) > 200
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200, (link, answer.text)


def test_every_example_of_the_page_works(clean, page):
    client = clean.test_client()
    assert len(page.blocks) >= 10
    for block in page.blocks:
        words = shlex.split(block.replace("\\\n", " ").replace("$TOKEN", TOKEN))
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        (url,) = [word for word in words if word.startswith("http://localhost/")]
        where = urllib.parse.urlsplit(url)
        headers = [words[i + 1].split(": ") for i, w in enumerate(words) if w == "-H"]
        body = words[words.index("-d") + 1] if "-d" in words else None
        answer = client.open(
            f"{where.path}?{where.query}",
            method=method,
            headers=dict(headers),
            data=body,
        )
        assert answer.status_code < 400, (block, answer.text)


def test_the_page_has_no_script_and_no_style_of_its_own(clean, page):
    assert "script" not in page.tags and "style" not in page.tags
    assert "style" not in page.attributes
    assert not any(name.startswith("on") for name in page.attributes)
    assert len(page.ids) == len(set(page.ids))
    for table in clean.extensions["smartshopie"].db.tables:
        assert table in page.ids


def test_programs_get_an_index(clean):
    answer = clean.test_client().get("/api/v1/")
    assert answer.mimetype == "application/json"
    data = json.loads(answer.data)["data"]
    assert data["openapi"] == DOCUMENT and len(data["tables"]) == 30
    assert clean.test_client().get("/api/v1/?x=1").status_code == 400
    odd = clean.test_client().get("/api/v1/", headers={"Accept": "image/png"})
    assert odd.status_code == 406
