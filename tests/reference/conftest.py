"""The oracle of all fused arithmetic: the C library's fmaf."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def fmaf() -> Callable[[float, float, float], float]:
    """`fmaf` of libm on Python floats that are exactly binary32."""
    function = ctypes.CDLL(ctypes.util.find_library("m")).fmaf
    function.argtypes = [ctypes.c_float] * 3
    function.restype = ctypes.c_float
    return function
