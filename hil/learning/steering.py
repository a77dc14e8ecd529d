"""What somebody who watches may ask of a run while it learns.

Learning looks at it between two frames, so nothing is torn apart: a pause sends
nothing new and takes what is on its way, and no limit of the host runs meanwhile,
since all of them count the silence after a request.
"""

from __future__ import annotations

import math


class Steering:
    """Asks for nothing, which is what all runs get that nobody steers.

    `patience`: seconds after which, at the latest, learning looks again while it
    waits for the device. `resting`: seconds that pauses have taken so far.
    """

    patience = math.inf
    paused = False
    resting = 0.0

    def look(self) -> None:
        """Learning is between two frames: a moment to see what is asked."""

    def rest(self) -> None:
        """Learning is paused and nothing is on its way: wait a little."""

    def take_commit(self) -> bool:
        """Whether a checkpoint is asked for, once for each."""
        return False
