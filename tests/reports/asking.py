"""Ask a report as the web side does."""

from smartshopie_db.reports import REPORTS, window

TIME = {"period", "start", "end", "as_of"}


def ask(db, path, **given):
    """The answer of the report; words that are not about time are its parameters."""
    asked = window(db, **{name: given[name] for name in TIME & given.keys()})
    rest = {name: given[name] for name in given.keys() - TIME}
    return REPORTS[path].run(db, asked, **rest)
