"""The `hil` command, also as `python -m hil`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; Ctrl-C while it is still loading ends it with 130
    and no traceback, as it does later."""
    try:
        from hil.cli import main as command

        return command()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
