"""A generated library with a mistake in it, on purpose."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from codegen.rendering import render

UPDATE = "    /* W[i][j] -= eta x_i d_j"
"""Where a step of a generated library begins to change weights."""


def meetings(cores: Iterable[str], mistakes: Iterable[str]) -> list[object]:
    """Every core with every mistake; every second of these in `make test`, so that each
    core makes half of the mistakes, and each mistake is made on half of the cores."""
    names = list(mistakes)
    return [
        pytest.param(core, mistake, marks=pytest.mark.full if (i + j) % 2 else ())
        for i, core in enumerate(cores)
        for j, mistake in enumerate(names)
    ]


def spoil(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """Every learning step now executes `statement` before it changes a weight."""
    right = render.render_network

    def wrong(plan: object) -> dict[str, str]:
        files = right(plan)  # type: ignore[arg-type]
        assert UPDATE in files["net.c"]
        files["net.c"] = files["net.c"].replace(UPDATE, f"    {statement}\n{UPDATE}")
        return files

    monkeypatch.setattr(render, "render_network", wrong)
