"""A frozen front: an imported model up to one of its tensors, whose numbers are what the
network learns from.

A sample's element v is v / scale to the model, as it would be to the network; a model of
8 bits quantises that by its own scale and zero point (docs/import.md). Nothing of the
front ever changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

from codegen.errors import SpecError
from codegen.front import Front
from codegen.graph import arena, cutting, reading, support
from codegen.graph.description import Graph, Operator, Tensor
from codegen.scaler import LARGEST_OF_INTEGERS, Scaler

GIVEN = ("i8", "u8", "i16", "f32")
"""Types of a tensor that samples become, and of one that the network learns from."""


@dataclass(frozen=True)
class Frozen(Front):
    """The model in the bytes of its file, up to tensor `cut`, a name, a number, or -1 for
    the input of its last dense layer. `scaled`: constants that bring each feature to the
    network's own range.

    Raises `ModelError` for a file or a tensor that cannot be, and `SpecError` for a part
    of a model that is no front.
    """

    model: bytes = field(repr=False)
    cut: str = cutting.LAST
    scaled: Scaler | None = None

    def __post_init__(self) -> None:
        problems = support.problems(self.graph)
        if problems:
            raise SpecError(
                f"a front that cannot be computed: {problems[0]}",
                "a cut before that operator leaves it out",
            )
        if len(self.graph.inputs) != 1:
            raise SpecError(
                f"a front of {len(self.graph.inputs)} inputs: expected one, the sample"
            )
        for one in arena.carried(self.graph):
            raise SpecError(
                f"a front that keeps {one} from one sample to the next: expected one that "
                "begins anew with each sample, for samples come in any order",
                "`hil infer --stream` computes such a model",
            )
        for one, what in ((self.given, "takes"), (self.told, "is cut at")):
            if one.type not in GIVEN:
                raise SpecError(
                    f"a front that {what} {one}, {one.said}: expected one of {', '.join(GIVEN)}"
                )
            by = one.quantisation
            if one.type != "f32" and (by is None or len(by.scales) != 1):
                raise SpecError(
                    f"a front that {what} {one}, {one.said}, without a scale: expected one"
                )
        if self.scaled is not None:
            self._require_scaler(self.scaled)

    def _require_scaler(self, scaler: Scaler) -> None:
        if scaler.elements != self.features:
            raise SpecError(
                f"a front of {self.features} features, but {scaler.gives}: expected as many"
            )
        if not self.floating:
            scaler.require_within(LARGEST_OF_INTEGERS)

    @property
    def graph(self) -> Graph:
        """What is computed: one input, one output."""
        return _cut(self.model, self.cut)

    @property
    def given(self) -> Tensor:
        """What a sample becomes."""
        return self.graph.inputs[0]

    @property
    def told(self) -> Tensor:
        """What the network learns from."""
        return self.graph.outputs[0]

    @property
    def made_by(self) -> str:
        """The module of `codegen.fronts` that makes features of a sample."""
        return "imported"

    @property
    def gives(self) -> str:
        """What it makes of a sample, as the end of a sentence."""
        return f"its front gives {self.features} features"

    @property
    def elements(self) -> int:
        """Elements of a sample."""
        return self.given.elements

    @property
    def features(self) -> int:
        """Width of the network's input."""
        return self.told.elements

    @property
    def floating(self) -> bool:
        """Whether the features are of float32."""
        return self.told.type == "f32"

    @property
    def integer(self) -> bool:
        """Whether no operator has a tensor of float32, nor a scaler any."""
        named = (
            one
            for operator in self.graph.operators
            for one in (*operator.inputs, *operator.outputs)
        )
        floats = (one is not None and one.type == "f32" for one in named)
        return self.scaled is None and not any(floats)

    @property
    def wide(self) -> bool:
        """Whether what it takes or tells are integers of 16 bits."""
        return "i16" in (self.given.type, self.told.type)

    @property
    def feature_type(self) -> str:
        """What a feature is kept as: numbers without a sign have one, 128 less."""
        return {"u8": "i8"}.get(self.told.type, self.told.type)

    @property
    def entering(self) -> tuple[float, int]:
        """Scale and zero point of what a sample becomes, where integers have a sign."""
        return _signed(self.given)

    @property
    def leaving(self) -> tuple[float, int]:
        """The same of the features."""
        return _signed(self.told)

    @property
    def macs(self) -> int:
        """Products that it adds up for a sample."""
        return sum(map(support.macs, self.graph.operators))

    @property
    def head(self) -> Operator | None:
        """The model's own dense layer behind the cut, where the cut is its input."""
        found = cutting.head(_read(self.model))
        source = None if found is None else found.given(0)
        return found if source is not None and source.index == self.told.index else None

    @property
    def identity(self) -> dict[str, object]:
        """What tells it from every other: a digest of the file, the tensor's number, and
        the constants of a scaler."""
        said: dict[str, object] = {
            "sha256": hashlib.sha256(self.model).hexdigest(),
            "cut": self.told.index,
        }
        if self.scaled is not None:
            said["scaled"] = list(self.scaled.constants())
        return said


def _signed(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point; numbers without a sign are 128 less."""
    found = tensor.quantisation
    assert found is not None, "a front without one is refused"
    return found.scales[0], found.zeros[0] - (128 if tensor.type == "u8" else 0)


@lru_cache(maxsize=4)
def _read(model: bytes) -> Graph:
    return reading.read(model)


@lru_cache(maxsize=8)
def _cut(model: bytes, cut: str) -> Graph:
    read = _read(model)
    return cutting.up_to(read, cutting.tensor(read, cut))
