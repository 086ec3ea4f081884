"""Completion scripts: they know the verbs, their options and the tables."""

from __future__ import annotations

import argparse
from argparse import Namespace

from .parser import make_parser


def run(arguments: Namespace) -> None:
    print(globals()[arguments.shell](), end="")


def words() -> dict[str, list[str]]:
    """What may follow each verb: its options, and tables where it takes one."""
    found: dict[str, list[str]] = {}
    for action in make_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, parser in action.choices.items():
                found[name] = options_of(parser)
    return found


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    options = [o for a in parser._actions for o in a.option_strings if o[:2] == "--"]
    takes_table = any(a.dest == "table" for a in parser._actions)
    takes_plot = any(a.dest == "plot" for a in parser._actions)
    return options + (tables() if takes_table else plots() if takes_plot else [])


def tables() -> list[str]:
    from .._core import SmartShopieDB

    with SmartShopieDB(":memory:") as db:
        return list(db.tables)


def plots() -> list[str]:
    from ..plots.catalog import PLOTS

    return list(PLOTS)


def bash() -> str:
    cases = "\n".join(
        f"        {verb}) words='{' '.join(rest)}' ;;" for verb, rest in words().items()
    )
    return f"""_smartshopie() {{
    local words='{" ".join(words())} --help --version'
    if [ "$COMP_CWORD" -gt 1 ]; then
        case ${{COMP_WORDS[1]}} in
{cases}
        *) words= ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _smartshopie smartshopie
"""


def zsh() -> str:
    cases = "\n".join(
        f"        {verb}) found=({' '.join(rest)}) ;;" for verb, rest in words().items()
    )
    return f"""#compdef smartshopie
_smartshopie() {{
    local -a found
    found=({" ".join(words())} --help --version)
    if (( CURRENT > 2 )); then
        case $words[2] in
{cases}
        *) found=() ;;
        esac
    fi
    compadd -- $found
    _files
}}
if [ "$funcstack[1]" = _smartshopie ]; then
    _smartshopie "$@"
else
    compdef _smartshopie smartshopie
fi
"""


def fish() -> str:
    none = "__fish_use_subcommand"
    lines = [f"complete -c smartshopie -f -n {none} -a {verb}" for verb in words()]
    for verb, rest in words().items():
        seen = f"'__fish_seen_subcommand_from {verb}'"
        for word in rest:
            what = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            lines.append(f"complete -c smartshopie -n {seen} {what}")
    return "\n".join([*lines, ""])
