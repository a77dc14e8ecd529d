"""Streams of the counter-based generator: the one list of who draws where.

A number is addressed by (seed, stream, index) (docs/arithmetic.md), so two
uses that share a stream would share their numbers. Layers are counted from 1.
"""

from __future__ import annotations

from typing import Final

SPLIT: Final = 0
"""Order in which a data set is split into training and test samples."""

DENSE: Final = 1
"""Samples and labels of the synthetic data set without zeros."""

HOLDOUT: Final = 2
"""Order in which training samples are split into learned and held out."""

KEPT: Final = 3
"""Slots of a rehearsal buffer: number i is position i's of the stream."""

REHEARSED: Final = 4
"""Which slots are rehearsed: with R steps after each position of the stream, number
i * R + r is that of step r, 0..R-1, after position i."""

FRIEDMAN: Final = 5
"""Inputs, then noise, of the synthetic regression."""

TRIALS: Final = 6
"""Trials of the claim `when`: numbers 3 k, 3 k + 1, 3 k + 2 are the stimulus, the outcome
and the pause of trial k."""

SIGN_FEEDBACK: Final = 99
"""Signs of every sign-feedback matrix, one layer's words after another's."""

DIRECTIONS: Final = 98
"""Seeds of random directions: number step * K + k is that of direction k, 0..K-1,
of a step, modulo 2^32. A direction's own numbers come from its seed."""

SPIKES: Final = 97
"""Spikes of inputs and of a teacher, one word after another over all steps."""

SOURCES: Final = 200
"""Cells that a reservoir's cells hear: number k * cells + i is cell i's source k."""

RECURRENT: Final = 201
"""Weights of those sources, numbered likewise."""

DRIVEN: Final = 202
"""What drives a reservoir's cells: number m * cells + i is cell i's weight of axis m,
or says which axis its input m is, and by which sign."""

DELAYS: Final = 203
"""Ticks until a cell hears another one: number k * cells + i, modulo 16, less one."""

_WEIGHTS: Final = 10
_FEEDBACK: Final = 50
_READOUT: Final = 70
_PERTURBATION: Final = 110
_ORDER: Final = 1000
_NARROW: Final = 20


def _of_layer(base: int, layer: int) -> int:
    """`base + layer` up to layer 19, then clear of every other stream."""
    return base + layer if layer < _NARROW else (base << 16) + layer


def weights(layer: int) -> int:
    """Initial weights of weight layer `layer`."""
    return _of_layer(_WEIGHTS, layer)


def feedback(layer: int) -> int:
    """Uniform feedback matrix of hidden layer `layer`."""
    return _of_layer(_FEEDBACK, layer)


def readout(layer: int) -> int:
    """Local readout of hidden layer `layer`."""
    return _of_layer(_READOUT, layer)


def perturbation(layer: int) -> int:
    """A direction's numbers for layer `layer`: of its weights, or of its
    pre-activations (of a direction's seed, not of the network's)."""
    return _of_layer(_PERTURBATION, layer)


def order(epoch: int) -> int:
    """Order of the training samples in epoch `epoch`, counted from 0."""
    return _ORDER + epoch
