"""The `hil` command, also as `python -m hil`."""

from __future__ import annotations

import signal
import sys

from hil import house

STRANGER = 2
"""Exit code where a package is not hil's own, as for what else is used wrongly."""


def main() -> int:
    """Run the command line; Ctrl-C while it is still loading ends it with 130
    and no traceback, as it does later."""
    try:
        house.require_own()
    except ImportError as stranger:
        print(f"hil: {stranger}\n  hint: {house.MEND}", file=sys.stderr)
        return STRANGER
    try:
        from targets.signals import STOPS, held

        with held():  # an import that is torn apart may lose the signal
            from hil.cli import main as command
        code = command()
        for number in STOPS:  # the exit code is known: they come too late
            signal.signal(number, signal.SIG_IGN)
        return code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
