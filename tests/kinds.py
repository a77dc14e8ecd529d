"""Kinds of rules, for tests that are about some of them."""

from __future__ import annotations

from codegen import rules

WITHOUT_RANK_ONE = {"fg-weight", "ncm", "ottt", "slda"}
"""Those that make no rank-1 update, which could wait or be gated."""
OF_LAYERS = [n for n in rules.names() if not rules.declaration(n).format]
"""Those that teach a network of layers, of any numbers; the others have their own."""
OF_NUMBERS = [n for n in OF_LAYERS if rules.declaration(n).outputs != ("softmax",)]
"""Those that learn numbers, too: the others tell classes apart alone."""


def small_rate(rule: str) -> float | None:
    """A learning rate that any network can stand, of a rule that has one."""
    if not rules.declaration(rule).rated:
        return None
    return 1e-5 if rule == "fg-weight" else 0.01
