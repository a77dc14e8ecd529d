"""What a step keeps of its cycles, where its rule's parameter `trace` is on."""

from __future__ import annotations

from typing import Generic

from codegen.reference.machine import Machine
from codegen.reference.operations import T


class Trace(Generic[T]):
    """Rows of a machine's units, a cycle each, by the name of what they make: nothing
    where cycles are not kept."""

    def __init__(self, machine: Machine[T]) -> None:
        self._machine = machine
        self._kept = machine.parameters["trace"] != "off"
        self.membranes = machine.parameters["trace"] == "membranes"
        self._rows: dict[str, list[T]] = {}

    def add(self, name: str, value: T) -> None:
        """What has come of a cycle."""
        if self._kept:
            self._rows.setdefault(name, []).append(value)

    def named(self) -> None:
        """A step whose cycles are over: they enter the machine's trace."""
        for name, rows in self._rows.items():
            made = self._machine.arithmetic.stacked(rows)
            self._machine.name(name, made, "a row each cycle")
