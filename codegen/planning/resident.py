"""A resident set: samples and their targets that lie in the image as constants.

The device learns from them when a message names their positions, so that they
need not cross the line (docs/data.md).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from math import isfinite

from codegen import goals
from codegen.errors import SpecError
from codegen.spec import Spec

PLACE = 4
"""Bytes of a position on the line: u32."""

SAMPLES_FILE = "image/resident_samples.bin"
TARGETS_FILE = "image/resident_targets.bin"
TARGETS = {"label": "labels", "vector": "vectors", "sample": "targets"}
"""What a refusal calls them, by the goal."""


@dataclass(frozen=True)
class Resident:
    """`count` samples one after another, and their targets, each as it would travel:
    labels (u16), vectors (f32), or nothing. One message names at most `thin` of them,
    and is answered once."""

    count: int
    samples: bytes
    targets: bytes
    thin: int

    def require(self, spec: Spec) -> None:
        """Raise `SpecError` unless these are samples that `spec` learns from."""
        sample, target = spec.sample_bytes, goals.goal(spec).bytes(spec)
        sizes = len(self.samples), len(self.targets)
        if not self.count or sizes != (self.count * sample, self.count * target):
            raise SpecError(
                f"a resident set of {self.count} samples has {sizes[0]:,} bytes of "
                f"samples and {sizes[1]:,} of {TARGETS[spec.goal]}: expected {sample} and "
                f"{target} a sample, and at least one"
            )
        if spec.goal == "label":
            self._require_outputs(spec)
        elif not all(isfinite(t) for (t,) in struct.iter_unpack("<f", self.targets)):
            raise SpecError("a resident sample has a target that is not finite")

    def _require_outputs(self, spec: Spec) -> None:
        largest = max(label for (label,) in struct.iter_unpack("<H", self.targets))
        if largest >= spec.network.n_out:
            raise SpecError(
                f"a resident sample has label {largest}, but network {spec.network} "
                f"has {spec.network.n_out} outputs"
            )

    @property
    def files(self) -> dict[str, bytes]:
        """What the image's assembler source takes in, by name."""
        found = {SAMPLES_FILE: self.samples, TARGETS_FILE: self.targets}
        return {name: data for name, data in found.items() if data}

    @property
    def sha256(self) -> str:
        """SHA-256 of samples and targets, 64 hex digits."""
        return hashlib.sha256(self.samples + self.targets).hexdigest()
