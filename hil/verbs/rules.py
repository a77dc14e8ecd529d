"""hil rules: what a network can be taught by."""

from __future__ import annotations

import argparse

from hil import output

HELP = "list the learning rules, or show one"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil rules`."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="show this rule with its equations and source",
    )


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from codegen import rules

    out = output.of(given)
    names = [given.name] if given.name else rules.names()
    found = [rules.declaration(name) for name in names]
    for rule in found:
        out.line(f"{rule.name:8} {rule.title}")
        if given.name:
            out.line(f"  {rule.equation}")
            out.line(f"  source: {rule.source}")
        for parameter in rule.parameters if given.name else ():
            choices = (
                f" (one of {', '.join(parameter.choices)})" if parameter.choices else ""
            )
            out.line(f"  {parameter.name} = {parameter.default!r}{choices}")
            out.line(f"    {parameter.meaning}")
    out.document(
        {
            "rules": [
                {
                    "name": rule.name,
                    "title": rule.title,
                    "equation": rule.equation,
                    "source": rule.source,
                    "parameters": {
                        p.name: {
                            "default": p.default,
                            "choices": list(p.choices),
                            "meaning": p.meaning,
                        }
                        for p in rule.parameters
                    },
                }
                for rule in found
            ]
        }
    )
    return 0
