"""All files of one operator."""

from __future__ import annotations

from . import hybrids, moved, odd

ODD = {**odd.ODD, **moved.MOVED, **hybrids.HYBRIDS}
"""By what is odd in them."""
