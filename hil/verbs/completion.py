"""hil completion: what a shell needs to complete verbs, flags and their values."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from hil import output

HELP = (
    "print a script by which bash, zsh or fish completes hil's verbs, flags and values"
)
SHELLS = ("bash", "zsh", "fish")
FILES = ("FILE", "EXPERIMENT", "PATH")
FOLDERS = ("DIR", "FOLDER", "RUN")
"""Words in the name of a value that is a file, or a folder."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil completion`."""
    parser.description = (
        f'{HELP}. `eval "$(hil completion bash)"` completes in this bash; '
        "docs/commands.md tells where each shell keeps such scripts."
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to read it")


def run(given: argparse.Namespace) -> int:
    """The verb."""
    import shtab

    out = output.of(given)
    parser = given.parser()
    _add_values(parser)
    script = shtab.complete(parser, given.shell)
    out.line(script)
    out.document({"shell": given.shell, "script": script})
    return 0


def _add_values(parser: argparse.ArgumentParser) -> None:
    """Say of every flag and argument what its values are, where that is known."""
    import shtab

    known = _known()
    for verb, action in _actions(parser, ""):
        words = known.get(f"{verb} {action.dest}") or known.get(action.dest)
        name = str(action.metavar or "")
        if action.nargs == 0 or action.choices:
            continue
        if words:
            action.choices = list(words)
        elif any(word in name for word in FILES):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif any(word in name for word in FOLDERS):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]


def _known() -> dict[str, Sequence[str]]:
    """Words that a value can be, by the key of an experiment, or by verb and name."""
    import targets
    from codegen import rules
    from hil import demo
    from hil.keys import KEYS
    from hil.schemas.kinds import KINDS, keys

    of_keys = {
        name: said["enum"] for name, said in keys(KEYS).items() if "enum" in said
    }
    return {
        **of_keys,
        "targets name": targets.names(),
        "rules name": rules.names(),
        "schema kind": list(KINDS),
        "demo demo": [one.name for one in demo.shipped()],
        "sweep confirm": targets.names(),
    }


def _actions(
    parser: argparse.ArgumentParser, verb: str
) -> Iterator[tuple[str, argparse.Action]]:
    """Every flag and argument, with the verb that has it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from _actions(below, f"{verb} {name}".strip())
        else:
            yield verb, action
