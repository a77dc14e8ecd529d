"""The pytest plugin as a user has it: files of tests, run by a pytest of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen.building import cache as images
from hil import Experiment

ROOT = Path(__file__).parents[2]
LESSON = 'pytest.mark.hil(network="64-17-10", steps=20, test=0)'
TESTS = f"""
import pytest

pytestmark = {LESSON}

def test_it_learns_bit_for_bit(hil_run, hil_target):
    record = hil_run()
    assert (record.result, record.compared) == ("pass", 20)
    assert record.target == hil_target.name

def test_it_starts_from_the_seed(hil_device, hil_lesson):
    from codegen.reference import Learner
    assert hil_device.init(1) == Learner(hil_lesson.spec).digest()

def test_nothing_of_a_device():
    pass
"""
FAILS = f"""
import pytest

@{LESSON}
def test_another_seed_is_the_same(hil_run):
    assert hil_run(seed=1).digest == hil_run(seed=2, compare="none").digest
"""


@pytest.fixture
def user(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Runs pytest with the plugin in a folder of its own, not as CI does."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def started(*given: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "hil.pytest_plugin", *given)

    return started


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images built before, also where pytester has another HOME."""
    monkeypatch.setenv("HIL_CACHE", str(images.folder()))


def cases(path: Path) -> dict[str, list[str]]:
    """What a junit report says of each test: tags of its outcome."""
    return {
        case.attrib["name"]: [part.tag for part in case if part.tag != "properties"]
        for case in ET.parse(path).iter("testcase")
    }


@pytest.mark.parametrize("workers", ["0", "2"])
def test_several_targets_in_one_run_have_a_junit_report_each(
    pytester: pytest.Pytester, user: Any, host_cc: str, qemu64: str, workers: str
) -> None:
    pytester.makepyfile(test_board=TESTS)
    done = user(
        "-n", workers, "--hil-target", "host", "--hil-target=qemu-rv64gc,host",
        "--hil-junit", "reports",
    )  # fmt: skip
    done.assert_outcomes(passed=5)
    found = sorted(path.name for path in (pytester.path / "reports").iterdir())
    assert found == ["junit-host.xml", "junit-qemu-rv64gc.xml"]
    for target in ("host", "qemu-rv64gc"):
        assert cases(pytester.path / "reports" / f"junit-{target}.xml") == {
            f"test_it_learns_bit_for_bit[{target}]": [],
            f"test_it_starts_from_the_seed[{target}]": [],
        }


def test_a_failure_names_the_folder_and_shows_what_the_device_said(
    pytester: pytest.Pytester, user: Any, host_cc: str
) -> None:
    pytester.makepyfile(test_board=FAILS)
    done = user("--hil-target", "host", "--hil-out", "kept", "--hil-junit", "reports")
    done.assert_outcomes(failed=1)
    folders = sorted((pytester.path / "kept").iterdir())
    assert len(folders) == 2
    done.stdout.fnmatch_lines(
        [
            f"folder   {folders[0]}",
            "PASS: 20 of 20 steps bit-exact, *, host, build *",
            f"folder   {folders[1]}",
            "FAIL: no step compared, *, seed 2, host, build *",
            "nothing was compared, so this run proves nothing",
            "console  * |*| (the latest 96 of *",
            f"`hil monitor {folders[1]}` decodes it",
        ]
    )
    report = pytester.path / "reports" / "junit-host.xml"
    assert cases(report) == {"test_another_seed_is_the_same[host]": ["failure"]}
    told = [e.attrib for e in ET.parse(report).iter("property")]
    assert {"name": "hil_folder", "value": str(folders[1])} in told


def test_an_error_of_the_device_comes_with_its_hints(
    pytester: pytest.Pytester, user: Any, host_cc: str
) -> None:
    pytester.makepyfile("""
        def test_it(hil_run):
            hil_run(network="64-17-10", steps=9, lr=1e30, activation="identity",
                    output="identity")
    """)
    done = user("--hil-target", "host")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["*DeviceFault: *non-finite*", "folder   *", "ERROR 7: *", "console  *"]
    )


def test_the_file_in_the_documentation_passes(
    pytester: pytest.Pytester, user: Any, host_cc: str, qemu64: str
) -> None:
    page = (ROOT / "docs" / "pytest.md").read_text()
    code = re.search(
        r"^    # test_firmware.py\n(?:    .*\n|\n(?= {4}|\n))+", page, re.M
    )
    assert code is not None
    pytester.makepyfile(test_firmware=code[0])
    user("--hil-target", "host,qemu-rv64gc").assert_outcomes(passed=12)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            ["--hil-target", "qemu-rv64gvc"],
            "ERROR: unknown target 'qemu-rv64gvc', did you mean *",
        ),
        (
            ["--hil-vlen", "77"],
            "ERROR: target 'qemu-rv64gcv' has no VLEN 77: expected*",
        ),
        (
            ["--hil-target=host", "--hil-vlen=128"],
            "ERROR: target 'host' has no vector unit*",
        ),
        (
            ["--hil-unit", "/dev/null", "--hil-target=host,qemu-rv64gc"],
            "ERROR: --hil-unit '/dev/null' is one board, but --hil-target names 2 targets*",
        ),
        (
            ["--hil-unit", "/dev/null", "-n", "2"],
            "ERROR: --hil-unit '/dev/null' is one board, and 2 workers would want it*",
        ),
        (
            ["--hil-junit", "test_board.py"],
            "ERROR: --hil-junit is 'test_board.py': no such folder can be made*",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_before_any_test(
    pytester: pytest.Pytester, user: Any, given: list[str], sentence: str
) -> None:
    pytester.makepyfile(test_board=TESTS)
    done = user(*given)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([sentence])
    assert "collected" not in done.stdout.str()


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        (
            "@pytest.mark.hil(netwrk='64-10')\ndef test_it(hil_device): pass",
            "*UsageError: the hil marker has an unknown key 'netwrk'",
        ),
        (
            "def test_it(hil_run): hil_run(netwrk='64-10')",
            "*UsageError: hil_run has an unknown key 'netwrk'",
        ),
        (
            "@pytest.mark.hil(target='host')\ndef test_it(hil_device): pass",
            "*UsageError: the hil marker of test_it* has *a target*",
        ),
    ],
)
def test_a_wrong_key_is_named(
    pytester: pytest.Pytester, user: Any, test: str, sentence: str
) -> None:
    pytester.makepyfile(f"import pytest\n{test}")
    done = user("--hil-target", "host")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines([sentence, "hint: *"])


@pytest.mark.parametrize("test", ["test_it_learns*", "test_it_starts*"])
def test_the_same_file_runs_on_a_unit(
    pytester: pytest.Pytester, user: Any, board: Callable[..., Any], test: str
) -> None:
    unit = board(Experiment(network=(64, 17, 10), steps=20, test=0, unit="/dev/null"))
    pytester.makepyfile(test_board=TESTS)
    name = test.rstrip("*")
    done = user("--hil-target=host", "--hil-unit", unit.url, "-k", name)
    done.assert_outcomes(passed=1, deselected=2)


def test_a_unit_of_the_bench_brings_its_target(
    pytester: pytest.Pytester,
    user: Any,
    board: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unit = board(Experiment(network=(64, 17, 10), unit="/dev/null", console="pty"))
    pytester.makepyfile(test_board=TESTS)
    file = pytester.path / "bench.toml"
    file.write_text(f'[units.desk]\ntarget = "host"\nport = "{unit.url}"\n')
    monkeypatch.setenv("HIL_BENCH", str(file))
    done = user("--hil-unit", "desk", "-k", "starts")
    done.assert_outcomes(passed=1)
    done = user("--hil-unit", "desk", "--hil-target", "qemu-rv64gc")
    done.stderr.fnmatch_lines(["ERROR: unit 'desk' is of target 'host', but*"])


def test_one_test_after_another_has_the_unit(
    pytester: pytest.Pytester, user: Any, board: Callable[..., Any]
) -> None:
    unit = board(Experiment(network=(64, 17, 10), unit="/dev/null", console="pty"))
    pytester.makepyfile("""
        import pytest

        @pytest.mark.hil(network="64-17-10")
        @pytest.mark.parametrize("seed", [1, 2])
        def test_it(hil_device, seed):
            hil_device.init(seed)
    """)
    user("--hil-target=host", "--hil-unit", unit.url).assert_outcomes(passed=2)


def test_a_unit_with_another_image_is_refused(
    pytester: pytest.Pytester, user: Any, board: Callable[..., Any]
) -> None:
    unit = board(Experiment(network=(64, 18, 10), unit="/dev/null"))
    pytester.makepyfile(test_board=TESTS)
    done = user("--hil-target=host", "--hil-unit", unit.url, "-k", "starts")
    done.assert_outcomes(errors=1, deselected=2)
    done.stdout.fnmatch_lines(["*FirmwareMismatch: *", "hint: *", "folder *"])


@pytest.mark.parametrize("ci", [False, True])
def test_without_qemu_a_test_is_skipped_and_an_error_in_ci(
    pytester: pytest.Pytester, user: Any, monkeypatch: pytest.MonkeyPatch, ci: bool
) -> None:
    monkeypatch.setenv("PATH", str(pytester.path))
    if ci:
        monkeypatch.setenv("CI", "true")
    pytester.makepyfile(test_board=TESTS)
    done = user("-rs")
    if ci:
        done.assert_outcomes(passed=1, failed=1, errors=1)
    else:
        done.assert_outcomes(passed=1, skipped=2)
    done.stdout.fnmatch_lines(["*qemu-system-riscv64 is not on the PATH*"])


def test_a_test_may_name_its_targets_and_compare_with_another(
    pytester: pytest.Pytester, user: Any, host_cc: str, qemu64: str
) -> None:
    pytester.makepyfile(f"""
        import pytest

        @{LESSON}
        @pytest.mark.parametrize("hil_target", ["qemu-rv64gc"], indirect=True)
        def test_it(hil_run):
            assert hil_run().digest == hil_run(target="host").digest
    """)
    done = user("--hil-target", "qemu-rv64gcv", "--hil-vlen", "128", "-v")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*test_it?qemu-rv64gc? PASSED*"])


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_in_a_run_ends_pytest_and_not_the_test_alone(
    pytester: pytest.Pytester, user: Any
) -> None:
    pytester.makepyfile("""
        import os, signal

        def strike(planned, toolchain):
            os.kill(os.getpid(), signal.SIGINT)

        def test_it(hil_run, monkeypatch):
            monkeypatch.setattr("hil.learning.session.build", strike)
            hil_run()

        def test_that_is_not_come_to():
            pass
    """)
    done = user("--hil-target", "host")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.assert_outcomes()


@pytest.mark.parametrize("again", [["-p", "hil.pytest_plugin"], []])
def test_the_entry_point_and_the_module_are_one_plugin(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, again: list[str]
) -> None:
    """As it is installed, and asked for by name as well, on the command line and in
    a conftest."""
    installed = pytester.mkdir("site") / "hil_again-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: hil-again\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[pytest11]\nhil = hil.pytest_plugin\n")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(installed.parent), str(ROOT)])
    )
    pytester.makeconftest("pytest_plugins = ['hil.pytest_plugin']")
    pytester.makepyfile(test_board=TESTS)
    done = pytester.runpytest_subprocess(*again, "--co", "-q", "--hil-target", "host")
    assert done.ret == 0, done.stderr.str()
    done.stdout.fnmatch_lines(["test_board.py::test_it_learns_bit_for_bit?host?"])


def test_who_does_not_use_it_does_not_wait_for_it() -> None:
    code = "import sys, pytest; before = set(sys.modules); import hil.pytest_plugin; "
    shown = subprocess.run(
        [sys.executable, "-c", code + "print(*set(sys.modules) - before)"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    ours = {"hil", "hil.pytest_plugin", "hil.testing", "hil.testing.reports"}
    assert set(shown.stdout.split()) <= ours
