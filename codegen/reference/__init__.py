"""The numpy reference: written from the contract, not from the C templates.

It is what every device is compared with (docs/arithmetic.md), and shares with
the templates nothing but `codegen.constants` and `codegen.streams`.
"""

from codegen.reference.learner import Learner, NonFinite, Result

__all__ = ["Learner", "NonFinite", "Result"]
