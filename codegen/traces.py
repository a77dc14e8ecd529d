"""What a step keeps of its cycles: a row each, to be read when the step is over.

Off unless a rule's parameter `trace` is on. Then every tensor that is traced has another
one beside it, [cycles of the step, width], which nothing else takes the place of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter, Parameters
from codegen.program import Item, Part, op
from codegen.tensors import Tensor

TRACE = Parameter(
    "trace", "off",
    "on: what the units were after every cycle of a step is kept, to be read when it is over",
    ("off", "on"), watches=True,
)  # fmt: skip
OF_CELLS = replace(
    TRACE,
    meaning="on: who spikes in each tick of a step is kept, to be read when it is over; "
    "membranes: also what the cells' potentials and traces were",
    choices=("off", "on", "membranes"),
)


def traced(parameters: Parameters) -> bool:
    """Whether cycles are kept."""
    return parameters["trace"] != "off"


def membranes(parameters: Parameters) -> bool:
    """Whether potentials and traces of cells that spike are kept too."""
    return parameters["trace"] == "membranes"


def rows(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Those that cycles are kept in, of all that a step leaves."""
    return [t for t in tensors if t.kept and len(t.shape) == 2]


@dataclass(frozen=True)
class Phase:
    """So many `cycles` of a step, and whether the outputs know the outcome in them."""

    name: str
    cycles: int
    told: bool = False


@dataclass(frozen=True)
class Trace:
    """Rows for all cycles of the `phases`; that at hand is `number`, from 0."""

    phases: Sequence[Phase]
    number: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Cycles of all phases, and of those before that at hand."""
        each = [phase.cycles for phase in self.phases]
        return sum(each), sum(each[: self.number])

    def row(
        self, c: Composer, n: int, one: Tensor, of: str = "trace"
    ) -> tuple[Item, ...]:
        """What `one`, of layer n, has come to in this cycle enters `of`n; nothing where
        cycles are not kept."""
        if not traced(c.parameters):
            return ()
        cycles, first = self.shape
        kept = c.kept(f"{of}{n}", (cycles, one.size))
        place = Part(kept, f"{first} + cycle" if first else "cycle")
        return (op("copy", Shape(1, one.size), n, v=one, x=place, purpose="trace"),)
