"""A resident set: labelled samples that lie in the image as constants.

The device learns from them when a message names their positions, so that they
need not cross the line (docs/data.md).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from codegen.errors import SpecError
from codegen.spec import Spec

LABEL = 2
"""Bytes of a label: u16, little-endian."""

PLACE = 4
"""Bytes of a position on the line: u32."""

SAMPLES_FILE = "image/resident_samples.bin"
LABELS_FILE = "image/resident_labels.bin"


@dataclass(frozen=True)
class Resident:
    """`count` samples one after another, each as it would travel, and their
    labels, u16. One message names at most `thin` of them, and is answered
    once."""

    count: int
    samples: bytes
    labels: bytes
    thin: int

    def require(self, spec: Spec) -> None:
        """Raise `SpecError` unless these are samples that `spec` learns from."""
        sample = spec.sample_bytes
        sizes = len(self.samples), len(self.labels)
        if not self.count or sizes != (self.count * sample, self.count * LABEL):
            raise SpecError(
                f"a resident set of {self.count} samples has {sizes[0]:,} bytes of "
                f"samples and {sizes[1]:,} of labels: expected {sample} and {LABEL} "
                "a sample, and at least one"
            )
        largest = max(label for (label,) in struct.iter_unpack("<H", self.labels))
        if largest >= spec.network.n_out:
            raise SpecError(
                f"a resident sample has label {largest}, but network {spec.network} "
                f"has {spec.network.n_out} outputs"
            )

    @property
    def files(self) -> dict[str, bytes]:
        """What the image's assembler source takes in, by name."""
        return {LABELS_FILE: self.labels, SAMPLES_FILE: self.samples}

    @property
    def sha256(self) -> str:
        """SHA-256 of samples and labels, 64 hex digits."""
        return hashlib.sha256(self.samples + self.labels).hexdigest()
