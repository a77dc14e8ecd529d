"""All files of one operator."""

from __future__ import annotations

from . import hybrids, moved, odd, transposed, usual

ODD = {
    **odd.ODD,
    **moved.MOVED,
    **hybrids.HYBRIDS,
    **transposed.TRANSPOSED,
    **usual.USUAL,
}
"""By what is odd in them."""
