"""Learning rates when an experiment names none: one table, from RULES 0.3 and 3.

`small` is for inputs such as the 8x8 digits, `wide` for inputs such as MNIST's
784 pixels. The rate of epoch k is `fl32(lr * decay**k)`.
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.spec import Network

WIDE = 256
"""Inputs beyond which the `wide` column holds."""


@dataclass(frozen=True)
class Rate:
    """Learning rates for small and for wide inputs."""

    small: float
    wide: float
    source: str


RATES = {
    # (rule, hidden activation), "*" for any; the first that fits holds
    ("dfa", "relu"): Rate(0.01, 0.003, "RULES 3, DFA ReLU"),
    ("*", "relu"): Rate(0.03, 0.01, "RULES 3, BP ReLU"),
    ("*", "*"): Rate(0.03, 0.02, "RULES 3, BP and DFA with tanh"),
}
IDENTITY_OUTPUT = Rate(0.01, 0.01, "RULES 0.3, linear outputs; at most this")
DECAY = Rate(0.95, 0.7, "RULES 0.3, a factor an epoch")


def default(rule: str, network: Network) -> float:
    """Learning rate of the first epoch."""
    keys = ((rule, network.activation), ("*", network.activation), ("*", "*"))
    rate = next(RATES[key] for key in keys if key in RATES)
    found = _column(rate, network)
    if network.output == "identity":
        return min(found, _column(IDENTITY_OUTPUT, network))
    return found


def default_decay(network: Network) -> float:
    """Factor of the learning rate from one epoch to the next."""
    return _column(DECAY, network)


def _column(rate: Rate, network: Network) -> float:
    return rate.wide if network.n_in > WIDE else rate.small
