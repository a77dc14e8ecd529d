"""hil doctor: what on this computer could keep a run from working."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import chain

from hil import output

HELP = "check compiler, emulator, ports, packages and data, and say what to do"
MARKS = {"ok": "ok  ", "warning": "WARN", "failure": "FAIL"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil doctor`."""
    parser.add_argument(
        "--target", metavar="NAME", help="look at this target only (default: all)"
    )
    parser.add_argument(
        "--unit",
        metavar="UNIT",
        help="also ask this unit of the bench, or the board on this port, whether it "
        "answers and its line leaves every byte as it is; only its target is looked at",
    )


def run(given: argparse.Namespace) -> int:
    """The verb: 0, or the exit code of the first failure."""
    import targets
    from hil.device import units
    from hil.measuring import doctor, unit_check

    out = output.of(given)
    unit = units.chosen(given.unit, given.target) if given.unit else None
    named = given.target or (unit.target if unit else "")
    names = [named] if named else targets.names()
    checks = doctor.examine([targets.load(name) for name in names])
    findings = []
    for found in chain(checks, unit_check.findings(unit) if unit else ()):
        findings.append(found)
        out.line(f"{MARKS[found.state]}  {found.check}: {found.text}")
        for advice in found.advice:
            out.line(f"      -> {advice}")
    code = doctor.verdict(findings)
    wrong = sum(found.state != doctor.OK for found in findings)
    out.line(f"{len(findings)} checks, {wrong} with something to do")
    out.document({"exit_code": code, "findings": [asdict(found) for found in findings]})
    return code
