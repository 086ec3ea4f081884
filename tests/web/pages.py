"""Reads a page as a strict parser does, and says what is wrong with it."""

from __future__ import annotations

import json
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img", "hr"}
SHAPES = {"path", "rect", "polyline"}  # of SVG, closed one by one here
POINTS = ("aria-labelledby", "for", "aria-describedby")


class Page(HTMLParser):
    """The elements of a page in order: tags, attributes, text, data blocks."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags = []  # (name, attributes)
        self.words = []
        self.blocks = {}
        self.faults = []
        self._open = []
        self.feed(text)
        self.close()
        if self._open:
            self.faults.append(f"never closed: {self._open}")
        self._check_ids()

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def attributes(self, name):
        return [given for tag, given in self.tags if tag == name]

    def tags_without_data(self):
        """Which elements with which attributes there are."""
        return [(tag, *sorted(given)) for tag, given in self.tags]

    def values(self):
        """What stands in <data value>: the figures, for scripts."""
        return [float(given["value"]) for given in self.attributes("data")]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.faults.append(f"twice the same attribute: {tag} {names}")
        given = dict(attrs)
        self.tags.append((tag, given))
        for name in names:
            if name == "style" or name.startswith("on"):
                self.faults.append(f"{tag} has {name}")
        if tag == "style":
            self.faults.append("a style element")
        if tag == "script" and ("src" not in given) != (
            given.get("type") == "application/json"
        ):
            self.faults.append(f"a script in the page: {given}")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        inside = self._open[-1] if self._open else ""
        if inside == "script" and data:
            self.blocks[self.tags[-1][1].get("id")] = json.loads(data)
        else:
            self.words.append(data)

    def _check_ids(self):
        ids = [given["id"] for _, given in self.tags if "id" in given]
        self.faults += [f"twice id={name}" for name in {*ids} if ids.count(name) > 1]
        for tag, given in self.tags:
            for name in POINTS:
                for target in given.get(name, "").split():
                    if target not in ids:
                        self.faults.append(f"{tag} {name}={target} leads nowhere")
