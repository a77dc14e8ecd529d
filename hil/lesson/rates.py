"""Learning rates when an experiment names none.

A rule declares its own (`codegen.rules`); here is what holds for all of them.
`small` is for inputs such as the 8x8 digits, `wide` for inputs such as MNIST's
784 pixels. The rate of epoch k is `fl32(lr * decay**k)`. docs/rules.md says
where the numbers come from.
"""

from __future__ import annotations

from codegen import rules
from codegen.numbers import Numbers
from codegen.rules import Rate
from codegen.spec import Network, RuleChoice
from hil.errors import UsageError

WIDE = 256
"""Inputs beyond which the `wide` column holds."""

IDENTITY_OUTPUT = 0.01
"""Linear outputs with a squared error want at most this."""

DECAY = Rate(0.95, 0.7)
"""Factor of the learning rate from one epoch to the next."""


def default(choice: RuleChoice, network: Network, numbers: Numbers) -> float:
    """Learning rate of the first epoch, of a network of such numbers."""
    rule = rules.get(choice)
    declared = rule.declaration.rates(network.activation, rule.parameters)
    found = _column(declared, network)
    chosen = network.output == "identity" and len(rule.declaration.outputs) > 1
    usual = min(found, IDENTITY_OUTPUT) if chosen else found
    return usual * _column(Rate(numbers.rate, numbers.wide), network)


def require(choice: RuleChoice, lr: float | None) -> None:
    """Raise `UsageError` for the learning rate of a rule that has none, but 1."""
    if lr not in (None, 1.0) and not rules.declaration(choice.name).rated:
        raise UsageError(
            f"lr is {lr:g}, but rule {choice.name!r} has no learning rate",
            "leave lr out",
        )


def default_decay(network: Network) -> float:
    """Factor of the learning rate from one epoch to the next."""
    return _column(DECAY, network)


def _column(rate: Rate, network: Network) -> float:
    return rate.wide if network.n_in > WIDE else rate.small
