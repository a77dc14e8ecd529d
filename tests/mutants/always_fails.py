"""A test that nobody collects: what becomes of mutants whose tests fail anyway."""

from __future__ import annotations


def test_that_fails_anyway() -> None:
    raise AssertionError("as always")
