r"""For gunicorn, where it is the server of the house (docs/http.md):

    gunicorn -c python:smartshopie_db.web.gunicorn_conf \
        'smartshopie_db.web:create_app()'

What of it is given on the command line goes before.
"""

from __future__ import annotations

import os
from typing import Any

from . import watch
from .pieces import SENDERS
from .settings import PREFIX, Settings
from .v1.receiving import MOST

worker_class = "gthread"  # a stream keeps a thread: others would have none
threads = (
    int(os.environ.get(PREFIX + "STREAMS", Settings.streams)) + 16 + SENDERS + MOST
)
worker_connections = 4096
graceful_timeout = 10
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Open streams end when their process is told to."""
    watch.serving = lambda: bool(worker.alive)
