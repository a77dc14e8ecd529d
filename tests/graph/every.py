"""All files of one operator."""

from __future__ import annotations

from . import moved, odd

ODD = {**odd.ODD, **moved.MOVED}
"""By what is odd in them."""
