"""The program of a step: the one value from which all else is derived.

A rule builds it of operations, and nothing else says what a step does: when each
tensor lives, which kernels are called with which shapes, what it costs and what the
C looks like follow from it.

The vocabulary, all of it:

    Op      one call of a kernel
    Set     one assignment of C: a factor, a mark, a counter
    Repeat  its body some number of times
    If      its body where a condition holds, else another
    Leave   the step ends here, as one that has learned all it will
    Stage   a part of the step with a name: a moment, as lifetimes count them

More than 400 lines because the vocabulary stands with all that is derived from it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from codegen import kernels
from codegen.errors import BuildError
from codegen.formats import F32, POINTER, Format
from codegen.kernels import Kernel
from codegen.kernels.cost import Shape
from codegen.tensors import Tensor

StagePhase: TypeAlias = Literal["look", "judge", "credit", "update"]
"""What a stage is for: an answer, its error, each layer's share of that, and what is
learned from it. A rule that learns in passing goes through them layer by layer."""


@dataclass(frozen=True)
class Symbol:
    """A value that C knows by this text: "label", "net->seed", "k"."""

    text: str


@dataclass(frozen=True)
class Part:
    """Element, or row, `index` of a tensor; `index` is a number or C."""

    tensor: Tensor
    index: int | str


@dataclass(frozen=True)
class Carried:
    """A tensor that an item of a `Repeat` reads from the second round on; in the first
    round it is given a null pointer."""

    tensor: Tensor
    variable: str


@dataclass(frozen=True)
class Within:
    """A tensor that lies in another, at its `offset` in bytes: an activation of an
    imported graph in the one scratch tensor that holds them all."""

    tensor: Tensor
    holder: Tensor


Operand: TypeAlias = Tensor | Part | Carried | Within | Symbol | float | int | None
"""What an operation works on. A float is a binary32 constant, None no pointer."""


def _tensor(given: Operand) -> Tensor | None:
    """The tensor that an operand names, if it names one."""
    if isinstance(given, Within):
        return given.holder
    found = given.tensor if isinstance(given, Part | Carried) else given
    return found if isinstance(found, Tensor) else None


def _format(given: Operand) -> Format | None:
    """Format of an operand's elements; of listed rows, that of the elements they point
    at."""
    tensor = given.tensor if isinstance(given, Within) else _tensor(given)
    if isinstance(given, Part) and tensor is not None and tensor.format.name == POINTER:
        return F32
    return tensor.format if tensor is not None else None


@dataclass(frozen=True)
class Op:
    """One call of `kernel`, its operands by the names of its parameters; sizes come
    from `shape`.

    `layer`: of the network, 0 for the network as a whole; `purpose` tells apart what
    one kernel does in a layer. `says` is the comment above it.
    `into` takes what it returns: C that can be assigned to. `needs` says what must be
    true of it, else tensor `faults` is to blame: "true", "number" (no NaN) or
    "finite".
    """

    kernel: Kernel
    operands: tuple[tuple[str, Operand], ...]
    shape: Shape
    layer: int = 0
    purpose: str = ""
    says: str = ""
    into: Part | str = ""
    needs: str = ""
    faults: Tensor | None = None

    @property
    def key(self) -> str:
        """What names it within its layer: "kernel", or "purpose/kernel"."""
        return (
            f"{self.purpose}/{self.kernel.name}" if self.purpose else self.kernel.name
        )

    def tensors(self) -> Iterator[tuple[Tensor, bool]]:
        """What it works on, in the order of its operands, and whether it may write
        that."""
        const = {p.name: p.const for p in self.kernel.pointers}
        for name, given in self.operands:
            tensor = _tensor(given)
            if tensor is not None:
                yield tensor, not const.get(name, True)
        if isinstance(self.into, Part):
            yield self.into.tensor, True


@dataclass(frozen=True)
class Set:
    """`target = value;` in C. `uses` are the tensors that either names."""

    target: str
    value: str
    uses: tuple[Tensor, ...] = ()
    says: str = ""


@dataclass(frozen=True)
class Repeat:
    """`body` for `variable` from 0 to `count` - 1; `count` is a number, or C that names
    no scratch tensor."""

    variable: str
    count: int | str
    body: tuple[Item, ...]
    says: str = ""
    c_type: str = "uint32_t"


@dataclass(frozen=True)
class If:
    """`then` where `condition` holds, else `otherwise`; {} in it stands for what `op`
    returns. `usual` says which of them an ordinary step comes to; None: either.
    `uses` are the tensors that the condition names."""

    condition: str
    then: tuple[Item, ...]
    otherwise: tuple[Item, ...] = ()
    op: Op | None = None
    usual: bool | None = None
    why: str = ""
    uses: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Leave:
    """End the step here."""


@dataclass(frozen=True)
class Stage:
    """A part of the step: one moment, as lifetimes count them, unless it has stages
    of its own. `says` is the comment above it."""

    phase: StagePhase
    body: tuple[Item, ...]
    layer: int = 0
    says: str = ""


Item: TypeAlias = Op | Set | Repeat | If | Leave | Stage


def op(
    operation: str, shape: Shape, layer: int = 0, /, *, purpose: str = "", says: str = "",
    into: Part | str = "", needs: str = "", faults: Tensor | None = None,
    **operands: Operand,
) -> Op:  # fmt: skip
    """An `Op` of the kernel of that operation and of its operands' formats, operands by
    keyword: `op("dense_forward", shape, n, w=..., b=..., x=..., a=...)`.

    Raises `BuildError` when there is no such kernel, or it has no such parameter.
    """
    known = ((name, _format(given)) for name, given in operands.items())
    formats = {name: one for name, one in known if one is not None}
    found = kernels.for_operands(operation, formats)
    unknown = set(operands) - {argument.name for argument in found.arguments}
    if unknown:
        raise BuildError(
            f"kernel {found.name!r} is given {', '.join(sorted(unknown))}: expected some of "
            + ", ".join(argument.name for argument in found.arguments)
        )
    return Op(
        found, tuple(operands.items()), shape, layer, purpose, says, into, needs, faults
    )  # fmt: skip


@dataclass(frozen=True)
class Life:
    """From the first moment to the last, both included."""

    born: int
    dies: int

    def meets(self, other: Life) -> bool:
        """Whether there is a moment at which both are alive."""
        return self.born <= other.dies and other.born <= self.dies


@dataclass(frozen=True)
class Program:
    """What the C of a network does.

    `look` leaves the output layer's pre-activations in the tensors `results`, and
    changes nothing; `outputs` makes the network's outputs of them; `step`
    learns from one sample, once what is noted `before` it is; `flush` does what a step
    has left pending. `state`: what a step changes, in order, where that is not weights
    and biases of every layer and what the rule adds. Everything below is derived.
    """

    look: tuple[Item, ...]
    outputs: Op
    step: tuple[Item, ...]
    before: tuple[Set, ...] = ()
    flush: tuple[Item, ...] = ()
    results: tuple[Tensor, ...] = ()
    state: tuple[Tensor, ...] = ()

    @property
    def answers_first(self) -> bool:
        """Whether a step begins as an inference does."""
        return self.step[: len(self.look)] == self.look

    @property
    def learning(self) -> tuple[Item, ...]:
        """What a step does once it has looked, where it answers first; else all."""
        return self.step[len(self.look) :] if self.answers_first else self.step

    def ops(self) -> Iterator[Op]:
        """Every operation of any function."""
        return ops((*self.look, self.outputs, *self.step, *self.flush))

    def repeated(self) -> Iterator[Op]:
        """Every operation that some `Repeat` repeats."""
        return (
            one
            for item in loops((*self.look, *self.step, *self.flush))
            for one in ops(item.body)
        )

    def tensors(self, role: str) -> tuple[Tensor, ...]:
        """Tensors of that role, in the order in which they are first named."""
        return tuple(tensor for tensor in self._named if tensor.role == role)

    @property
    def formats(self) -> frozenset[Format]:
        """Of what it computes with."""
        return frozenset(tensor.format for tensor in self._named)

    @cached_property
    def _named(self) -> tuple[Tensor, ...]:
        """Every tensor, in the order in which they are first named."""
        walk = _Walk((*self.look, *self.before, *self.step, *self.flush))
        return tuple(dict.fromkeys(tensor for _, tensor, _ in walk.uses))

    def lives(self) -> dict[Tensor, Life]:
        """When each scratch tensor of a step is alive."""
        kept = (tensor for tensor in self.tensors("scratch") if tensor.kept)
        return lives(self.step, (*self.results, *kept))

    def tape(self) -> tuple[Tensor, ...]:
        """Activations that are kept past the forward pass for the sake of learning:
        a layer's, read after the last look at the sample by something other than the
        last layer's update."""
        made = {
            tensor
            for stage in stages(self.look)
            for one in ops(stage.body)
            for tensor, wrote in one.tensors()
            if stage.layer and wrote and tensor.role == "scratch" and not tensor.inner
        }
        found: dict[Tensor, None] = {}
        last = max(stage.layer for stage in stages(self.look))
        for stage in self._after_looking():
            for one in ops(stage.body):
                if not (stage.phase == "update" and one.layer == last):
                    found |= dict.fromkeys(t for t, wrote in one.tensors() if not wrote)
        return tuple(t for t in found if t in made and t not in self.results)

    def _after_looking(self) -> list[Stage]:
        """The stages after the last that looks."""
        all_ = stages(self.step)
        last = max(n for n, stage in enumerate(all_) if stage.phase == "look")
        return all_[last + 1 :]

    @property
    def in_passing(self) -> bool:
        """Whether a step learns before all that may fault is done."""
        learned = False
        for stage in stages(self.step):
            for one in ops(stage.body):
                if learned and one.faults is not None:
                    return True
                changes = any(t.state and wrote for t, wrote in one.tensors())
                learned |= changes and stage.phase != "look"
        return False


def ops(items: Iterable[Item], usual: bool = False) -> Iterator[Op]:
    """Every operation, in order; with `usual` those that an ordinary step comes to."""
    for item in items:
        match item:
            case Op():
                yield item
            case If():
                if item.op is not None:
                    yield item.op
                if not usual or item.usual is not False:
                    yield from ops(item.then, usual)
                if not usual or item.usual is not True:
                    yield from ops(item.otherwise, usual)
            case Repeat() | Stage():
                yield from ops(item.body, usual)


def loops(items: Iterable[Item]) -> Iterator[Repeat]:
    """Every `Repeat` that is in no other."""
    for item in items:
        match item:
            case Repeat():
                yield item
            case Stage():
                yield from loops(item.body)
            case If():
                yield from loops((*item.then, *item.otherwise))


def stages(items: Iterable[Item]) -> list[Stage]:
    """The stages that have none of their own, in order."""
    found: list[Stage] = []
    for item in items:
        match item:
            case Stage():
                found += stages(item.body) or [item]
            case Repeat():
                found += stages(item.body)
            case If():
                found += [*stages(item.then), *stages(item.otherwise)]
    return found


class _Walk:
    """Moments, and who is named at each: (moment, tensor, whether it is written).

    `loops` are the first and last moment of every `Repeat`.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.moment = 0
        self.uses: list[tuple[int, Tensor, bool]] = []
        self.loops: list[tuple[int, int]] = []
        self._walk(items)

    def _walk(self, items: Iterable[Item]) -> None:
        for item in items:
            match item:
                case Stage():
                    self.moment += 1
                    self._walk(item.body)
                case Repeat():
                    self._repeat(item)
                case If():
                    if item.op is not None:
                        self._name(item.op.tensors())
                    self._name((t, False) for t in item.uses)
                    self._walk(item.then)
                    self._walk(item.otherwise)
                case Op():
                    self._name(item.tensors())
                case Set():
                    self._name((t, True) for t in item.uses)

    def _repeat(self, item: Repeat) -> None:
        first = self.moment + 1 if stages(item.body) else self.moment
        self._walk(item.body)
        self.loops.append((first, self.moment))

    def _name(self, found: Iterable[tuple[Tensor, bool]]) -> None:
        self.uses += [(self.moment, tensor, wrote) for tensor, wrote in found]


def lives(items: Sequence[Item], results: Iterable[Tensor] = ()) -> dict[Tensor, Life]:
    """When each scratch tensor is alive: from its first use to its last, and of
    `results` to the end.

    What is there before or after a `Repeat`, and within it, is there during all of
    it: each round may need what the first one did. So is what a round begins by
    reading, and a result that is made within it.
    """
    walk = _Walk(items)
    found: dict[Tensor, Life] = {}
    carried = set()
    for moment, tensor, wrote in walk.uses:
        if tensor.role != "scratch":
            continue
        if tensor not in found and not wrote:
            carried.add(tensor)
        born = found[tensor].born if tensor in found else moment
        found[tensor] = Life(born, moment)
    for tensor in results:
        found[tensor] = Life(found[tensor].born, walk.moment)
        carried.add(tensor)
    for first, last in walk.loops:
        for tensor, life in found.items():
            inside = Life(first, last)
            whole = first <= life.born and life.dies <= last and tensor not in carried
            if life.meets(inside) and not whole:
                found[tensor] = Life(min(life.born, first), max(life.dies, last))
    return found
