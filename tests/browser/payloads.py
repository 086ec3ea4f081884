"""Texts that try to run as script when they are put into a page as anything but text.

All of them set window.hit, raise a dialog or load something, in forms that are known
from decades of such faults: tags, attributes, links, templates, comments, data blocks.
"""

from __future__ import annotations

RUN = "window.hit=1;alert(1)"

PAYLOADS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror={RUN!r}>",
    f"'><img src=x onerror={RUN!r}>",
    f'"><img src=x onerror="{RUN}">',
    f"<svg onload={RUN!r}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN!r} attributeName=x dur=1s>",
    f"<body onload={RUN!r}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src='javascript:{RUN}'></iframe>",
    f"<a href='javascript:{RUN}'>x</a>",
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"<math><mtext></table><img src=x onerror={RUN!r}>",
    f"<details open ontoggle={RUN!r}>",
    f"<input autofocus onfocus={RUN!r}>",
    f"<video><source onerror={RUN!r}></video>",
    f"<object data='javascript:{RUN}'></object>",
    f"<embed src='javascript:{RUN}'>",
    f"<form action='javascript:{RUN}'><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=//example.invalid/'>",
    "<base href='//example.invalid/'>",
    "<link rel=stylesheet href='//example.invalid/x.css'>",
    "<style>@import '//example.invalid/x.css';</style>",
    f"<!--><img src=x onerror={RUN!r}>-->",
    f"<template><img src=x onerror={RUN!r}></template>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    f"\\u003cimg src=x onerror={RUN}\\u003e",
    f"&lt;img src=x onerror={RUN}&gt;",
    f"%3Cimg src=x onerror={RUN}%3E",
    f"\u2028<img src=x onerror={RUN}>\u2029",
    f"x' onmouseover='{RUN}' autofocus='",
    f'x" onfocus="{RUN}" autofocus tabindex="1',
    f"`onerror={RUN}`",
    f'<a href="java\tscript:{RUN}"><b>bold</b></a>',
    f"]]><img src=x onerror={RUN}>",
    f"<xss id=x tabindex=1 onfocusin={RUN!r}></xss>",
]
