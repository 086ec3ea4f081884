"""`flask smartshopie ...`: the program smartshopie, with the app's database."""

from __future__ import annotations

import os
import sys

import click
from flask.cli import with_appcontext

from .state import current


@click.command(
    "smartshopie",
    help="The command line of the dashboard's database.",
    add_help_option=False,  # it has one of its own
    context_settings={"ignore_unknown_options": True},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@with_appcontext
def command(words: tuple[str, ...]) -> None:
    from ..cli import main

    os.environ["SMARTSHOPIE_DB"] = current().settings.db
    sys.exit(main(words))
