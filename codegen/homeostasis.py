"""Homeostasis: a slow threshold that keeps a cell's rate (after the astrocytes of Shen et al.,
arXiv 2312.07625, of which the slow integration of spikes is what remains).

An astrocyte listens to its cell: over many samples it takes the mean of the share of ticks
in which the cell spikes, and once a sample it moves the cell's threshold, up where that is
more than `homeostasis` says and down where it is less. An inference changes neither.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from codegen.composer import Composer
from codegen.errors import SpecError
from codegen.formats import I32
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter, Parameters
from codegen.program import Op, op
from codegen.tensors import Fill, Tensor

PARAMETERS = (
    Parameter(
        "homeostasis", 0.0,
        "share of the ticks in which a cell is to spike: its threshold rises slowly where "
        "it does so more often, and sinks where it does less; 0: no threshold moves so",
        within=(0.0, 0.5), later=True,
    ),
    Parameter(
        "astrocyte", 5, "log2 of the samples over which homeostasis takes a cell's rate",
        most=12, later=True,
    ),
    Parameter(
        "gain", 0.02, "share of a threshold that homeostasis moves it by a sample, where a "
        "cell spikes twice as often as it is to", within=(0.0, 1.0), later=True,
    ),
)  # fmt: skip

LEAST, MOST = 0.25, 16.0
"""A threshold stays within so many times of what it is at first."""
RATE_BITS = 24
"""Below the point of a rate in whole numbers."""
FACTOR_BITS = 7
"""Of the factor that a threshold moves by in whole numbers."""


def on(parameters: Parameters) -> bool:
    """Whether thresholds move."""
    return float(parameters["homeostasis"]) > 0


def conflict(parameters: Parameters) -> str:
    """What makes no sense together, and what was expected; else empty."""
    rate = float(parameters["homeostasis"])
    if 0 < rate < 2.0**-13:
        return f"homeostasis = {rate:g}: expected 0, or a share from 2^-13 (0.0001221) to 0.5"
    return "" if on(parameters) else alone(parameters, PARAMETERS[1:])


def alone(parameters: Parameters, others: Iterable[Parameter]) -> str:
    """Which of the `others` is asked for, though without homeostasis it says nothing;
    else empty."""
    said = (p for p in others if parameters[p.name] != p.default)
    return next(
        (
            f"{p.name} = {parameters[p.name]:g} without homeostasis, and so it would say "
            f"nothing: expected homeostasis above 0, or no {p.name}"
            for p in said
        ),
        "",
    )


def rates(c: Composer, name: str, cells: int) -> Tensor:
    """How often cells spike, as their astrocytes have it."""
    if c.numbers.integer:
        return whole_rates(c, name, cells, "learned")
    return c.learned(name, (cells,), limits=(0.0, 1.0))


def whole_rates(c: Composer, name: str, cells: int, role: str) -> Tensor:
    """The same in whole numbers, whatever the network computes in."""
    limits = (0.0, float(1 << RATE_BITS))
    return c.tensor(name, (cells,), role, format=I32, limits=limits)


def rises(c: Composer, name: str, cells: int, theta: float) -> Tensor:
    """What thresholds have risen by, of cells whose threshold is `theta` at first."""
    if c.numbers.integer:
        return whole_rises(c, name, cells, theta, "learned")
    limits = (theta * (LEAST - 1), theta * (MOST - 1))
    return c.learned(name, (cells,), Fill(), limits)


def whole_rises(c: Composer, name: str, cells: int, theta: float, role: str) -> Tensor:
    """The same in whole numbers."""
    limits = (math.ceil(theta * (LEAST - 1)), theta * (MOST - 1))
    return c.tensor(name, (cells,), role, format=I32, limits=limits)


def settled(
    c: Composer,
    n: int,
    count: Tensor,
    rate: Tensor,
    rise: Tensor,
    *,
    ticks: int,
    theta: float,
) -> Op:
    """A sample of `ticks` is over, in which cells have spiked `count` times."""
    if c.numbers.integer:
        return whole_settled(
            c.parameters, n, count, rate, rise, ticks=ticks, theta=theta
        )
    wanted, gain, pace = _asked(c.parameters)
    across = Shape(1, rate.size)
    assert rise.limits is not None
    least, most = rise.limits
    return op(
        "homeostat", across, n, count=count, a=rate, theta=rise, share=1 / ticks,
        pace=2.0**-pace, rate=wanted, gain=gain * theta / wanted, least=least, most=most,
        purpose=rise.name,
    )  # fmt: skip


def whole_settled(
    parameters: Parameters,
    n: int,
    count: Tensor,
    rate: Tensor,
    rise: Tensor,
    *,
    ticks: int,
    theta: float,
) -> Op:
    """The same in whole numbers."""
    wanted, gain, pace = _asked(parameters)
    factor, shift = moved_by(gain * theta, wanted)
    if factor > 1 << FACTOR_BITS:
        raise SpecError(
            f"homeostasis = {wanted:g} with gain = {gain:g}: a threshold of {theta:g} would "
            f"move by more than 32 bits hold: expected a gain of at most "
            f"{gain * 2**FACTOR_BITS / factor:.3g}"
        )
    assert rise.limits is not None
    least, most = map(int, rise.limits)
    return op(
        "homeostat", Shape(1, rate.size), n, count=count, a=rate, theta=rise,
        share=(1 << RATE_BITS) // ticks, pace=pace, rate=in_units(wanted),
        factor=factor, shift=shift, least=least, most=most, purpose=rise.name,
    )  # fmt: skip


def _asked(parameters: Parameters) -> tuple[float, float, int]:
    """Rate, gain and pace."""
    wanted, gain = (float(parameters[key]) for key in ("homeostasis", "gain"))
    return wanted, gain, int(parameters["astrocyte"])


def in_units(rate: float) -> int:
    """A rate in whole numbers."""
    return math.floor(math.ldexp(rate, RATE_BITS) + 0.5)


def moved_by(gain: float, wanted: float) -> tuple[int, int]:
    """(F, S): a threshold moves by (half of what a rate is off by) F 2^-S, F of 7 bits."""
    units = 2 * gain / in_units(wanted)
    shift = min(max(FACTOR_BITS - math.frexp(units)[1], 0), 31) if units > 0 else 0
    return math.floor(math.ldexp(units, shift) + 0.5), shift
