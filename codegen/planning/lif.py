"""The plan of an image whose network of spiking cells the bytes of NeuroCoreX's UART
program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from codegen import protocol
from codegen.budget import Item
from codegen.errors import SpecError
from codegen.planning import bill as bills
from codegen.planning.fitting import fitted
from codegen.planning.line import SMALLEST_PAYLOAD, Line, sized
from codegen.tensors import Tensor
from targets import Target

CELLS = 96
"""As their newest files have; others of theirs say 90 and 94."""
FEWEST, MOST, TOGETHER = 16, 248, 8
"""The leak is parameter 8; a cell's number is a byte; a byte tells of eight cells."""
TAKEN_BYTES = 2
"""Of an answer: how many bytes it answers."""


@dataclass(frozen=True)
class LifPlan:
    """What will be built for `cells` cells on one target."""

    cells: int
    target: Target
    line: Line
    budget: int | None = None
    tensors: tuple[Tensor, ...] = ()

    @property
    def room(self) -> int:
        """Bytes of the longest answer to one request."""
        assert protocol.INFER.reply is not None
        return self.line.max_payload - protocol.INFER.reply.size - TAKEN_BYTES

    @property
    def subject(self) -> str:
        """What needs all this, as sentences call it."""
        return f"a network of {self.cells} cells"

    @property
    def mends(self) -> Mapping[str, str]:
        """What makes items of a kind smaller."""
        return {"state": "fewer cells (--cells)"}

    @cached_property
    def bill(self) -> tuple[Item, ...]:
        """The memory bill, row by row."""
        return bills.rows_spiking(self)

    @property
    def ram(self) -> int:
        """Bytes of RAM, as the linker will count them."""
        return bills.ram(self.bill)


def require_cells(cells: int) -> None:
    """Raise `SpecError` for a number of cells that cannot be."""
    if cells not in range(FEWEST, MOST + 1, TOGETHER):
        raise SpecError(
            f"the number of cells is {cells}: expected a multiple of {TOGETHER} from "
            f"{FEWEST} to {MOST}"
        )


def lif_plan(cells: int, target: Target, budget: int | None = None) -> LifPlan:
    """Plan `cells` cells, and as many input lines, on `target`; `budget`: bytes of RAM
    allowed, besides the target's own. One request is in flight at a time.

    Raises `SpecError`, and `OverBudget` when it does not fit.
    """
    require_cells(cells)
    line = sized(1, 0, SMALLEST_PAYLOAD, 0)
    return fitted(LifPlan(cells, target, line, budget))
