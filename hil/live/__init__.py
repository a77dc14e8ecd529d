"""The live view of a run that learns, for terminals (docs/live.md)."""

from __future__ import annotations

import os
from typing import TextIO

from hil.learning.progress import Lines, Progress


def for_stream(stream: TextIO) -> Progress:
    """The live view on a terminal that can show it, lines elsewhere."""
    encoding = (stream.encoding or "").lower().replace("-", "")
    dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    if not stream.isatty() or dumb or encoding != "utf8":
        return Lines(stream)
    from hil.live.view import View

    return View(stream)
