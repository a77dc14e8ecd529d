"""The numpy reference: written from the contract, not from what a device does.

It is what every device is compared with. What the two sides both start from, such as
constants, streams and the parameters of a rule, is listed in docs/arithmetic.md,
section 10; a test of the house lets nothing else in.

    learner        a network in training: samples and targets in, state and digest out
    machine        the state and the trace of a step, for the twins to work on
    rules/         the twins, a file a rule, written from its equation
    layers/ updates/ fronts/ goals      what the twins' steps are made of
    operations     what a twin may do with tensors
    float32        ... computed, by arithmetic, functions, outputs, random, ...
    intervals      ... bounded, for a certificate
"""

from codegen.reference.learner import Learner, NonFinite, Result

__all__ = ["Learner", "NonFinite", "Result"]
