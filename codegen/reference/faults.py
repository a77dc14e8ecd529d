"""How a step ends early."""

from __future__ import annotations


class NonFinite(Exception):
    """A step met an infinity or a NaN in `tensor`, and changed nothing."""

    def __init__(self, tensor: str) -> None:
        super().__init__(f"tensor {tensor!r} holds an infinity or a NaN")
        self.tensor = tensor
