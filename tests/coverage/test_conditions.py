"""Every condition of frame decoder, store, dispatcher and handlers matters both ways in
some test, or is exempt with a reason; and what says so is not easily content."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.coverage import counting
from tests.coverage.conditions import read
from tests.coverage.exempt import Point, complaints, exemptions

STRICT = "firmware/src/"
DECIDING = (
    f"{STRICT}hil_frame.c",
    f"{STRICT}hil_order.h", f"{STRICT}hil_session.c", f"{STRICT}hil_words.h",
    f"{STRICT}inference/hil_inference.c",
    f"{STRICT}lif/hil_lif.c", f"{STRICT}lif/hil_lif_session.c",
    f"{STRICT}lif/hil_lif_step.c", f"{STRICT}network/hil_goal.h",
    *(f"{STRICT}network/hil_{name}.c" for name in (
        "checkpoints", "events", "held", "learner", "parts", "rehearsal", "replies", "resident",
        "state", "steps", "store",
    )),
    f"{STRICT}stepless/hil_once.h",
)  # fmt: skip
"""Sources that have a condition."""


@pytest.fixture(scope="session")
def llvm() -> str:
    """What the names of the tools end with."""
    return require(counting.llvm(), "clang >= 18 with llvm-cov", counting.CURE)


def test_every_condition_of_the_firmware_matters_both_ways(
    llvm: str, tmp_path: Path
) -> None:
    counted = counting.Counted(tmp_path / "counted", llvm)
    done = counted.pytest(*counting.BRIEFLY)
    assert done.returncode == 0, done.stdout[-4000:]
    points = [p for p in counted.seen().points() if p[0].file.startswith(STRICT)]
    files = {point.file for point, _ in points}
    assert files == set(DECIDING)
    assert not complaints(points, exemptions("condition"))


SAMPLE = """
int sample(int a, int b, int c)
{
    if (a > 0 && (b > 0 || c > 0)) {
        return 1;
    }
    while (c > 3) {
        c--;
    }
    return b ? 2 : 3;
}

int main(int count, char **given)
{
    (void)given;
    return sample(1, 1, 0) + sample(0, count, 0) + sample(1, 0, count - 1);
}
"""


def test_a_condition_that_never_changes_an_outcome_is_not_shown(
    llvm: str, tmp_path: Path
) -> None:
    """In this program nobody sees whether c > 0 matters, nor a loop's body."""
    source = tmp_path / "firmware" / "src" / "sample.c"
    source.parent.mkdir(parents=True)
    source.write_text(SAMPLE)
    counted = counting.Counted(tmp_path / "counted", llvm)
    command = ["cc", str(source), "-o", str(tmp_path / "sample")]
    subprocess.run(command, env=counted.environment, check=True)
    subprocess.run([tmp_path / "sample"], env=counted.environment, check=False)
    programs = (tmp_path / "counted" / "programs").iterdir()
    seen = read(programs, tmp_path / "counted" / "profiles", llvm, tmp_path)
    assert {point.text: shown for point, shown in seen.points()} == {
        "a > 0": True, "b > 0": True, "c > 0": False, "c > 3": False, "b": True,
    }  # fmt: skip
    assert {p.file for p, _ in seen.points()} == {"firmware/src/sample.c"}


def test_the_list_of_exemptions_is_held_to_what_there_is() -> None:
    shown, missing, gone = (Point("a.c", "f", text) for text in ("a", "b", "c"))
    points = [(shown, True), (shown, True), (missing, True), (missing, False)]
    assert [text.partition(": ")[2] for text in complaints(points, [])] == [
        "b: no test shows both ways, and no exemption says why"
    ]
    assert complaints(points, [missing]) == []
    assert len(complaints(points, [missing, shown])) == 1
    assert complaints(points, [missing, shown], may_be_shown=True) == []
    assert len(complaints(points, [missing, gone])) == 1


@pytest.mark.parametrize("reason", ["", 'reason = " "'])
def test_an_exemption_has_a_reason(tmp_path: Path, reason: str) -> None:
    path = tmp_path / "exempt.toml"
    path.write_text(
        f'[[condition]]\nfile = "a.c"\nfunction = "f"\ntext = "a"\n{reason}\n'
    )
    with pytest.raises(ValueError, match="has no reason"):
        exemptions("condition", path)
