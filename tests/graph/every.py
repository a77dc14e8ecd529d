"""All files of one operator."""

from __future__ import annotations

from . import floats, hybrids, lanes, moved, odd, transposed, usual

ODD = {
    **odd.ODD,
    **floats.FLOATS,
    **lanes.LANES,
    **moved.MOVED,
    **hybrids.HYBRIDS,
    **transposed.TRANSPOSED,
    **usual.USUAL,
}
"""By what is odd in them."""
