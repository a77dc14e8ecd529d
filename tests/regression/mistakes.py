"""A generated library with a mistake in it, on purpose."""

from __future__ import annotations

import pytest

from codegen.rendering import render

UPDATE = "    /* W[i][j] -= eta x_i d_j"
"""Where a step of a generated library begins to change weights."""


def spoil(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """Every learning step now executes `statement` before it changes a weight."""
    right = render.render_network

    def wrong(plan: object) -> dict[str, str]:
        files = right(plan)  # type: ignore[arg-type]
        assert UPDATE in files["net.c"]
        files["net.c"] = files["net.c"].replace(UPDATE, f"    {statement}\n{UPDATE}")
        return files

    monkeypatch.setattr(render, "render_network", wrong)
