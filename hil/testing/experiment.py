"""The experiment of a test, and what becomes of a test whose tools are missing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from hil.errors import CompilerMissing, QemuMissing, UsageError
from hil.experiment import Experiment, known_key
from targets import Target


def experiment_of(
    item: pytest.Item, target: Target, keys: Mapping[str, Any]
) -> Experiment:
    """The command line's, with the markers from the outermost inwards and `keys` laid
    over it. Raises `UsageError`."""
    given = item.config.option
    name = item.name.replace("[", "-").rstrip("]")
    asked = Experiment(target=target.name, name=name)
    if keys.get("target", target.name) == target.name:
        vlen = given.hil_vlen if target.vector else None
        asked = asked.override({"unit": given.hil_unit, "vlen": vlen})
    for mark in reversed(list(item.iter_markers("hil"))):
        if mark.args or {"target", "unit"} & mark.kwargs.keys():
            raise UsageError(
                f"the hil marker of {item.name} has a value without a key, a target or "
                "a unit: expected keys of an experiment",
                "--hil-target and --hil-unit say where a test runs",
            )
        asked = asked.override(
            {known_key(k, "the hil marker").name: v for k, v in mark.kwargs.items()}
        )
    return asked.override({known_key(k, "hil_run").name: v for k, v in keys.items()})


@contextmanager
def tools_or_skip() -> Iterator[None]:
    """A tool that is missing skips the test, and is an error where CI is set."""
    try:
        yield
    except (CompilerMissing, QemuMissing) as error:
        reason = "; ".join([str(error), *error.hints])
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
