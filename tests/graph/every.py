"""All files of one operator."""

from __future__ import annotations

from . import hybrids, moved, odd, transposed

ODD = {**odd.ODD, **moved.MOVED, **hybrids.HYBRIDS, **transposed.TRANSPOSED}
"""By what is odd in them."""
