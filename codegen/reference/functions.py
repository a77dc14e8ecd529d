"""exp, log, tanh, sigmoid, relu: the project's own, bit for bit.

Arguments and results are float32 arrays. docs/arithmetic.md tells each function
in steps and its largest error; the coefficients are in `codegen.constants`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from codegen import constants
from codegen.reference.arithmetic import F32, F64, WideFma, checked, fma


def _f32(value: float) -> F32:
    """An array of no dimension: numpy takes it up twice as fast as a scalar."""
    return np.array(value, dtype=np.float32)


def _wide(value: float) -> F64:
    """A binary32 constant kept in float64."""
    assert value == np.float32(value)
    return np.array(value, dtype=np.float64)


_ZERO, _ONE, _TWO = _f32(0), _f32(1), _f32(2)
_EXP_MIN, _EXP_MAX = _f32(constants.EXP_MIN), _f32(constants.EXP_MAX)
_TANH_MAX = _f32(constants.TANH_MAX)
_WIDE_ONE, _MINUS_HALF = _wide(1), _wide(-0.5)
_MAGIC, _LOG2E = _wide(constants.MAGIC), _wide(constants.LOG2E)
_LN2_HI, _LN2_LO = _wide(constants.LN2_HI), _wide(constants.LN2_LO)
_MINUS_LN2_HI, _MINUS_LN2_LO = -_LN2_HI, -_LN2_LO
_EXPM1_POLY = tuple(map(_wide, reversed(constants.EXPM1_POLY)))
_LOG_POLY = tuple(map(_wide, reversed(constants.LOG_POLY)))
"""Coefficients, the highest power's first."""
_MAGIC_BITS = _f32(constants.MAGIC).view(np.uint32)
_SQRT_HALF_BITS = np.array(constants.SQRT_HALF_BITS, dtype=np.int32)
_EXPONENT_BIAS = np.array(127, dtype=np.uint32)
_FRACTION_BITS = np.array(23, dtype=np.int32)
_UNSIGNED_FRACTION_BITS = np.array(23, dtype=np.uint32)


def _narrow(x: F64) -> F32:
    """x rounded to float32: exact for what an fma gave."""
    return x.astype(np.float32)


def _horner(fma: WideFma, coefficients: tuple[F64, ...], x: F64) -> F64:
    """The polynomial at x; the highest power's coefficient first."""
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = fma(value, x, coefficient)
    return value


def _reduced(fma: WideFma, x: F64) -> tuple[F64, F64]:
    """(2^n, expm1(r)) for x = n ln 2 + r with |r| <= ln(2) / 2, nearly."""
    t = fma(x, _LOG2E, _MAGIC)
    n = t - _MAGIC  # exact: both are integers of the same binade
    r = fma(n, _MINUS_LN2_HI, x)
    r = fma(n, _MINUS_LN2_LO, r)
    square = _narrow(r * r).astype(np.float64)
    m = fma(square, _horner(fma, _EXPM1_POLY, r), r)
    exponent = _narrow(t).view(np.uint32) - _MAGIC_BITS + _EXPONENT_BIAS
    power = (exponent << _UNSIGNED_FRACTION_BITS).view(np.float32)
    return power.astype(np.float64), m


def _exp(fma: WideFma, x: F32) -> F32:
    power, m = _reduced(fma, x.astype(np.float64))
    return _narrow(fma(power, m, power))


def exp(x: F32) -> F32:
    """e^x; arguments outside EXP_MIN .. EXP_MAX are moved to its ends."""
    return checked(_exp, np.minimum(np.maximum(x, _EXP_MIN), _EXP_MAX))


def _expm1(fma: WideFma, x: F32) -> F32:
    power, m = _reduced(fma, x.astype(np.float64))
    below = (_narrow(power) - _ONE).astype(np.float64)
    return _narrow(fma(power, m, below))


def expm1(x: F32) -> F32:
    """e^x - 1; arguments outside EXP_MIN .. EXP_MAX are moved to its ends."""
    return checked(_expm1, np.minimum(np.maximum(x, _EXP_MIN), _EXP_MAX))


def _log(fma: WideFma, x: F32) -> F32:
    bits = x.view(np.int32)
    k = (bits - _SQRT_HALF_BITS) >> _FRACTION_BITS
    f = (bits - (k << _FRACTION_BITS)).view(np.float32) - _ONE
    z = f * f
    q = _narrow(_horner(fma, _LOG_POLY, f.astype(np.float64)))
    exponent = k.astype(np.float64)
    y = fma(exponent, _LN2_LO, ((f * z) * q).astype(np.float64))
    y = fma(z.astype(np.float64), _MINUS_HALF, y)
    rest = (f + _narrow(y)).astype(np.float64)
    return _narrow(fma(exponent, _LN2_HI, rest))


def log(x: F32) -> F32:
    """Natural logarithm of positive normal numbers."""
    return checked(_log, x)


def _tanh(fma: WideFma, x: F32) -> F32:
    y = np.minimum(np.abs(x), _TANH_MAX)
    found = _expm1(fma, y + y)
    return np.copysign(found / (found + _TWO), x)


def tanh(x: F32) -> F32:
    """Hyperbolic tangent, odd and with the sign of a zero kept."""
    return checked(_tanh, x)


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
