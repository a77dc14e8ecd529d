"""A prefix that the reference repeats, and a device that goes on alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hil import Experiment, run
from hil.errors import DeviceFault, UsageError
from hil.records.verdict import verdict

pytestmark = pytest.mark.usefixtures("host_cc")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"samples_per_frame": 7, "window": 2},
        {"resident": "all"},
        {"resident": "all", "thin": 7, "compare": 16},
        {"resident": 20, "samples_per_frame": 3},
        {"resident": "all", "rule": "bp", "thin": 1},
    ],
)
def test_a_device_that_goes_on_alone_learns_what_it_would_have(
    small: Experiment, folder: Path, change: dict[str, Any]
) -> None:
    watched = run(small.override({**change, "steps": 300}), out=folder)
    alone = run(small.override({**change, "steps": 300, "prefix": 50}), out=folder)
    short = run(small.override({**change, "steps": 50}), out=folder)
    assert (alone.result, alone.learned, alone.compared) == ("pass", 300, 50)
    assert alone.digest == watched.digest and alone.prefix_digest == short.digest
    assert alone.accuracy == watched.accuracy
    assert watched.compared == 300 and watched.prefix_digest is None
    assert alone.provenance["prefix_digest"] == "emulated"


def test_the_verdict_sells_no_more_than_was_compared(
    small: Experiment, folder: Path
) -> None:
    alone = verdict(run(small.override({"prefix": 20}), out=folder))
    assert alone.startswith("PASS: 20 of 60 steps bit-exact, the others not compared, ")
    watched = verdict(run(small, out=folder))
    assert watched.startswith("PASS: 60 of 60 steps bit-exact, digest ")


def test_a_prefix_beyond_the_end_is_the_whole_run(
    small: Experiment, folder: Path
) -> None:
    record = run(small.override({"prefix": 1000}), out=folder)
    assert (record.compared, record.experiment["prefix"]) == (60, 60)
    assert record.prefix_digest == record.digest is not None


def test_another_target_confirms_the_digest_after_the_prefix(
    qemu64: str, small: Experiment, folder: Path
) -> None:
    here = small.override({"resident": "all", "steps": 200, "prefix": 40})
    there = small.override({"target": "qemu-rv64gcv", "steps": 40, "test": 0})
    assert run(here, out=folder).prefix_digest == run(there, out=folder).digest


@pytest.mark.parametrize("resident", [None, "all"])
def test_a_device_that_faults_alone_is_not_said_to_agree(
    small: Experiment, folder: Path, resident: str | None
) -> None:
    diverges = {"lr": 1e4, "activation": "identity", "output": "identity"}
    change = {**diverges, "resident": resident, "prefix": 1}
    with pytest.raises(DeviceFault, match="non-finite") as caught:
        run(small.override(change), out=folder)
    assert not any("the reference" in hint for hint in caught.value.hints)


def test_a_prefix_of_nothing_compared_is_refused(small: Experiment) -> None:
    with pytest.raises(UsageError, match="prefix is 20 and compare is 'none'"):
        small.override({"prefix": 20, "compare": "none"})
