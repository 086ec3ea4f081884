"""Completion scripts: they know the verbs, their options and the tables, and the words
that some options take."""

from __future__ import annotations

import argparse
from argparse import Namespace

from .parser import make_parser


def run(arguments: Namespace) -> None:
    print(globals()[arguments.shell](), end="")


def verbs() -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in make_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


def words() -> dict[str, list[str]]:
    """What may follow each verb: its options, and tables where it takes one."""
    return {name: options_of(parser) for name, parser in verbs().items()}


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    options = [o for a in parser._actions for o in a.option_strings if o[:2] == "--"]
    for action in parser._actions:
        if not action.option_strings and action.choices:
            options += action.choices
    takes_table = any(a.dest == "table" for a in parser._actions)
    takes_plot = any(a.dest == "plot" for a in parser._actions)
    return options + (tables() if takes_table else plots() if takes_plot else [])


def values() -> dict[str, list[str]]:
    """What may follow an option that takes one of a few words."""
    found: dict[str, list[str]] = {}
    for parser in verbs().values():
        for action in parser._actions:
            if action.choices and action.option_strings:
                known = found.setdefault(action.option_strings[-1], [])
                known += [word for word in action.choices if word not in known]
    return found


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
    after = "\n".join(
        f"    {option}) words='{' '.join(rest)}' ;;"
        for option, rest in values().items()
    )
    return f"""_smartshopie() {{
    local words='{" ".join(words())} --help --version'
    if [ "$COMP_CWORD" -gt 1 ]; then
        case ${{COMP_WORDS[1]}} in
{cases}
        *) words= ;;
        esac
    fi
    case ${{COMP_WORDS[COMP_CWORD-1]}} in
{after}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _smartshopie smartshopie
"""


def zsh() -> str:
    cases = "\n".join(
        f"        {verb}) found=({' '.join(rest)}) ;;" for verb, rest in words().items()
    )
    after = "\n".join(
        f"    {option}) found=({' '.join(rest)}) ;;"
        for option, rest in values().items()
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
    case $words[CURRENT-1] in
{after}
    esac
    compadd -- $found || _files
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
    few = values()
    for verb, rest in words().items():
        seen = f"'__fish_seen_subcommand_from {verb}'"
        for word in rest:
            what = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            if word in few:
                what += f" -x -a '{' '.join(few[word])}'"
            lines.append(f"complete -c smartshopie -n {seen} {what}")
    return "\n".join([*lines, ""])
