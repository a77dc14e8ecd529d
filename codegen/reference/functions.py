"""exp, log, tanh, sigmoid, relu: the project's own, bit for bit.

Arguments and results are float32 arrays. docs/arithmetic.md tells each function
in steps and its largest error; the coefficients are in `codegen.constants`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from codegen import constants
from codegen.reference.arithmetic import F32, Operand, UncheckedFma, fma

_ZERO = np.float32(0)
_ONE = np.float32(1)
_TWO = np.float32(2)
_MAGIC = np.float32(constants.MAGIC)
_EXP_MIN = np.float32(constants.EXP_MIN)
_EXP_MAX = np.float32(constants.EXP_MAX)
_TANH_MAX = np.float32(constants.TANH_MAX)
_MAGIC_BITS = _MAGIC.view(np.uint32)
_SQRT_HALF_BITS = np.int32(constants.SQRT_HALF_BITS)
_EXPONENT_BIAS = np.uint32(127)
_FRACTION_BITS = 23


Fma: TypeAlias = Callable[[Operand, Operand, Operand], F32]


def _horner(fma: Fma, coefficients: tuple[float, ...], x: F32) -> F32:
    """The polynomial at x; coefficients of ascending powers."""
    *rest, highest = coefficients
    value = fma(x, highest, rest.pop())
    for coefficient in reversed(rest):
        value = fma(value, x, coefficient)
    return value


def _reduced(fma: Fma, x: F32) -> tuple[F32, F32]:
    """(2^n, expm1(r)) for x = n ln 2 + r with |r| <= ln(2) / 2, nearly."""
    t = fma(x, constants.LOG2E, constants.MAGIC)
    n = t - _MAGIC
    r = fma(n, -constants.LN2_HI, x)
    r = fma(n, -constants.LN2_LO, r)
    m = fma(r * r, _horner(fma, constants.EXPM1_POLY, r), r)
    exponent = t.view(np.uint32) - _MAGIC_BITS + _EXPONENT_BIAS
    return (exponent << _FRACTION_BITS).view(np.float32), m


def _scaled_expm1(x: F32) -> tuple[F32, F32]:
    """`_reduced`, quickly."""
    unchecked = UncheckedFma()
    found = _reduced(unchecked, x)
    return found if unchecked.sound() else _reduced(fma, x)


def exp(x: F32) -> F32:
    """e^x; arguments outside EXP_MIN .. EXP_MAX are moved to its ends."""
    x = np.where(x < _EXP_MIN, _EXP_MIN, x)
    x = np.where(x > _EXP_MAX, _EXP_MAX, x)
    scale, m = _scaled_expm1(x)
    return fma(scale, m, scale)


def _log_poly(fma: Fma, f: F32) -> F32:
    return _horner(fma, constants.LOG_POLY, f)


def log(x: F32) -> F32:
    """Natural logarithm of positive normal numbers."""
    bits = x.view(np.int32)
    k = (bits - _SQRT_HALF_BITS) >> _FRACTION_BITS
    f = (bits - (k << _FRACTION_BITS)).view(np.float32) - _ONE
    unchecked = UncheckedFma()
    q = _log_poly(unchecked, f)
    if not unchecked.sound():
        q = _log_poly(fma, f)
    exponent = k.astype(np.float32)
    z = f * f
    y = fma(exponent, constants.LN2_LO, (f * z) * q)
    y = fma(z, -0.5, y)
    return fma(exponent, constants.LN2_HI, f + y)


def tanh(x: F32) -> F32:
    """Hyperbolic tangent, odd and with the sign of a zero kept."""
    y = np.abs(x)
    y = np.where(y > _TANH_MAX, _TANH_MAX, y)
    scale, m = _scaled_expm1(y + y)
    expm1 = fma(scale, m, scale - _ONE)
    return np.copysign(expm1 / (expm1 + _TWO), x)


def sigmoid(x: F32) -> F32:
    """1 / (1 + e^-x)."""
    return sigmoid_and_decay(x)[0]


def sigmoid_and_decay(x: F32) -> tuple[F32, F32]:
    """sigmoid(x) together with the e^-|x| it was made of."""
    z = exp(-np.abs(x))
    return np.where(x < 0, z, _ONE) / (_ONE + z), z


def relu(x: F32) -> F32:
    """x where it is positive, else +0."""
    return np.where(x > 0, x, _ZERO)


def identity(x: F32) -> F32:
    """x."""
    return x


def _tanh_grad(h: F32, u: F32) -> F32:
    return u * fma(-h, h, 1.0)


def _sigmoid_grad(h: F32, u: F32) -> F32:
    return u * (h * (_ONE - h))


def _relu_grad(h: F32, u: F32) -> F32:
    return np.where(h > 0, u, _ZERO)


def _identity_grad(h: F32, u: F32) -> F32:
    return u


@dataclass(frozen=True)
class Activation:
    """phi of the hidden layers.

    `value(a)` is h = phi(a); `grad(h, u)` is u * phi'(a), from h alone.
    """

    value: Callable[[F32], F32]
    grad: Callable[[F32, F32], F32]


ACTIVATIONS = {
    "tanh": Activation(tanh, _tanh_grad),
    "sigmoid": Activation(sigmoid, _sigmoid_grad),
    "relu": Activation(relu, _relu_grad),
    "identity": Activation(identity, _identity_grad),
}
"""By the names of `codegen.spec.ACTIVATIONS`."""
