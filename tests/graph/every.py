"""All files of one operator."""

from __future__ import annotations

from . import hybrids, lanes, moved, odd, transposed, usual

ODD = {
    **odd.ODD,
    **lanes.LANES,
    **moved.MOVED,
    **hybrids.HYBRIDS,
    **transposed.TRANSPOSED,
    **usual.USUAL,
}
"""By what is odd in them."""
