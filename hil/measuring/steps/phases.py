"""From a trace to phases: which part of a step executed what.

A trace is the addresses of executed instructions. Calls and returns are
followed on it, and inlined functions are found by DWARF, so it does not matter
how much the compiler has inlined. A phase is a kernel (hil_*) as one place of
net.c calls it; what is no kernel's is `net_step`'s own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from codegen.machine_code.debuginfo import DebugInfo, Frame, Function
from codegen.machine_code.decode import Instruction

KERNEL = "hil_"
"""How the names of kernels begin; `__` ends the part that says what it does."""


@dataclass(frozen=True)
class Phase:
    """`name` of a kernel, without prefix and variant, or of the function that
    was called; `line` of the call in its file, 0 for the function itself."""

    name: str
    line: int


@dataclass
class Call:
    """One execution of a function: every address in order, whose it is, and how often
    each phase executed which. `start` is its place in the trace."""

    function: str
    start: int
    executed: list[int]
    order: list[Phase]
    phases: dict[Phase, Counter[int]]

    @property
    def instructions(self) -> int:
        """All that it executed."""
        return len(self.executed)


@dataclass(frozen=True)
class _Level:
    """A function that is being executed, and the address that called it."""

    function: Function
    called_from: int | None


class Follower:
    """Follows calls and returns in traces of one image."""

    def __init__(self, info: DebugInfo, code: Mapping[int, Instruction]) -> None:
        self._info = info
        self._code = code

    def calls(self, trace: Sequence[int], roots: Sequence[str]) -> list[Call]:
        """Every execution of one of the functions `roots`, in order."""
        found: list[Call] = []
        stack: list[_Level] = []
        current: Call | None = None
        depth = 0
        for start, end in self._blocks(trace):
            self._move(stack, trace, start)
            if current is None or len(stack) < depth:
                current = None
                place = next(
                    (n for n, s in enumerate(stack) if s.function.name in roots), None
                )
                if place is None:
                    continue
                depth = place + 1
                current = Call(stack[place].function.name, start, [], [], {})
                found.append(current)
            block = trace[start:end]
            current.executed += block
            self._attribute(current, stack[depth - 1 :], block)
        return found

    def _blocks(self, trace: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Runs within one machine function, without a call in them: (first, one
        past the last) place in `trace`."""
        first, low, high = 0, 0, 0
        for place, address in enumerate(trace):
            if low <= address < high and address != low:
                continue
            if place > first:
                yield first, place
            function = self._info.function_at(address)
            first = place
            low, high = (function.first, function.end) if function else (0, 0)
        if first < len(trace):
            yield first, len(trace)

    def _move(self, stack: list[_Level], trace: Sequence[int], place: int) -> None:
        """Bring `stack` to where the instruction at `place` is executed."""
        address = trace[place]
        function = self._info.function_at(address)
        if function is None:
            stack.clear()
            return
        before = trace[place - 1] if place else None
        caller = self._code.get(before) if before is not None else None
        if address == function.first and caller is not None and stack:
            if caller.links:
                stack.append(_Level(function, before))
            else:  # a tail call: its caller's caller is returned to
                stack.append(_Level(function, stack.pop().called_from))
            return
        while stack and stack[-1].function != function:
            stack.pop()
        if not stack:
            stack.append(_Level(function, None))

    def _attribute(
        self, call: Call, levels: Sequence[_Level], block: Sequence[int]
    ) -> None:
        outer = self._outer(levels)
        phases: dict[int, Phase] = {}
        for address, times in Counter(block).items():
            phase = phases[address] = outer or self._phase(levels[-1], address)
            call.phases.setdefault(phase, Counter())[address] += times
        call.order += [phases[address] for address in block]

    def _outer(self, levels: Sequence[_Level]) -> Phase | None:
        """The outermost kernel that has been called, or was inlined around a
        call; None when the innermost function may still inline one."""
        for inner in levels[1:]:
            assert inner.called_from is not None
            phase = self._kernel(self._info.inlined(inner.called_from))
            if phase is not None:
                return phase
            if inner.function.name.startswith(KERNEL):
                return _named(inner.function.name, self._info.line(inner.called_from))
        return None

    def _phase(self, level: _Level, address: int) -> Phase:
        found = self._kernel(self._info.inlined(address))
        return found or Phase(level.function.name, 0)

    @staticmethod
    def _kernel(frames: Sequence[Frame]) -> Phase | None:
        for frame in frames:
            if frame.name.startswith(KERNEL):
                return _named(frame.name, frame.line)
        return None


def _named(symbol: str, line: int) -> Phase:
    return Phase(symbol[len(KERNEL) :].partition("__")[0], line)
