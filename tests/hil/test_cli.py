"""The command line: one sentence, hints, an exit code, and JSON alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import targets
from codegen import rules
from codegen.planning.plan import plan
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.cli import main
from hil.errors import HilError
from hil.measuring import doctor

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        (["run", "--rule", "dfb"], 2, "unknown rule 'dfb'"),
        (["run", "--target", "qemu-rv64"], 2, "unknown target 'qemu-rv64'"),
        (["run", "--vlen", "100"], 2, "has no VLEN 100"),
        (["run", "--target", "host", "--vlen", "128"], 2, "has no vector unit"),
        (["run", "--target", "host", "--icount"], 2, "icount needs an emulator"),
        (["run", "--network", "63-10"], 2, "takes 63 inputs, but data 'digits' has 64"),
        (["run", "--network", "64-9"], 2, "has 9 outputs, but data 'digits'"),
        (["run", "--steps", "0"], 2, "steps is 0"),
        (
            ["run", "--resident", "x"],
            2,
            "resident is 'x': expected \"all\" or a number",
        ),
        (["run", "--thin", "8"], 2, "thin is 8, but no sample is resident"),
        (["run", "--data", "nowhere.npz"], 2, "there is no data file 'nowhere.npz'"),
        (["run", "--parameter", "feedbac=signs"], 2, "has no parameter 'feedbac'"),
        (["run", "absent.toml"], 2, "experiment 'absent.toml' cannot be read"),
        (["run", "--frobnicate"], 2, "hil run has no '--frobnicate'"),
        (["bench", "fault"], 2, "is 'fault': expected one of"),
        (
            ["bench", "faults", "--rates", "--chunk", "8"],
            2,
            "--rates and --chunk 8: expected",
        ),
        (
            ["bench", "faults", "--chunk", "0"],
            2,
            "chunk is 0: expected an integer from 1",
        ),
        (["monitor", "/dev/ttyNOSUCH7"], 2, "no port, recording or run folder"),
        (["rules", "dfb"], 2, "unknown rule 'dfb'"),
        (["formats", "i17"], 2, "NAME is 'i17': expected one of f32, i16, i8"),
        (["frobnicate"], 2, "VERB is 'frobnicate': expected one of"),
        ([], 2, "required: VERB"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], given: list[str], code: int, sentence: str
) -> None:
    assert main(given) == code
    out, err = capsys.readouterr()
    first, *hints = err.splitlines()
    assert first.startswith("hil: ") and sentence in first
    assert all(hint.startswith("  hint: ") for hint in hints)
    assert out == ""


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["rnu"], "run"),
        (["bench", "fault"], "faults"),
        (["run", "--step", "20"], "--steps"),  # no part of a name stands for the flag
        (["sweep", "--jobz=2"], "--jobs"),
    ],
    ids=str,
)
def test_what_is_nearly_right_is_named(
    capsys: pytest.CaptureFixture[str], given: list[str], meant: str
) -> None:
    assert main(given) == 2
    _, *hints = capsys.readouterr().err.splitlines()
    assert hints[0].strip() == f"hint: did you mean {meant!r}?"


def test_an_error_is_json_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--rule", "dfb", "--json", "-"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["result"], document["exit_code"]) == ("error", 2)
    assert "unknown rule" in document["error"]["sentence"]


def test_a_run_is_json_alone_on_stdout(
    host_cc: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = ["run", "--target", "host", "--network", "64-10", "--steps", "8"]
    assert main([*given, "--out", str(tmp_path), "--json", "-"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document == json.loads((Path(document["folder"]) / "run.json").read_text())
    assert err.splitlines()[-1].startswith("PASS: 8 of 8 steps bit-exact, digest")


@pytest.mark.parametrize(
    "given",
    [
        ["targets"],
        ["targets", "host"],
        ["rules"],
        ["rules", "dfa"],
        ["formats"],
        ["formats", "i8"],
    ],
)
def test_lists_have_lines_and_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, given: list[str]
) -> None:
    path = tmp_path / "out.json"
    assert main([*given, "--json", str(path)]) == 0
    document = json.loads(path.read_text())
    out = capsys.readouterr().out
    assert all(entry["name"] in out for entry in document[given[0]])


def test_formats_tell_what_a_plan_of_theirs_takes_and_refuses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["formats", "--json", "-"]) == 0
    for told in json.loads(capsys.readouterr().out)["formats"]:
        for rule in rules.names():
            spec = Spec(Network((8, 6, 5), output="sigmoid"), RuleChoice(rule),
                        Inputs("u8", 16.0), format=told["name"])  # fmt: skip
            network = rules.declaration(rule).suited(spec.network)
            named = told["activations_of"].get(rule, told["activations"])
            if told["name"] != "f32" and rule in told["rules"]:
                network = replace(network, activation=named[-1])
            taken = replace(spec, network=network)
            assert refused(taken, "host") == (rule not in told["rules"])
        for target in targets.names():
            rule = "stdp-wta" if told["name"] == "spikes" else "dfa"
            network = rules.declaration(rule).suited(Network((8, 6, 5)))
            small = Spec(
                network, RuleChoice(rule), Inputs("u8", 16.0), format=told["name"]
            )
            assert refused(small, target) == (target not in told["targets"])


def refused(spec: Spec, target: str) -> bool:
    """Whether there is no plan of it there."""
    try:
        plan(spec, targets.load(target))
    except HilError:
        return True
    return False


def test_monitor_shows_a_runs_recording(
    host_cc: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = ["run", "--target", "host", "--network", "64-10", "--steps", "8"]
    main([*given, "--out", str(tmp_path)])
    (folder,) = tmp_path.iterdir()
    capsys.readouterr()
    assert main(["monitor", str(folder), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    kinds = [frame["kind"] for frame in document["frames"]]
    assert kinds[:2] == ["hello", "init"] and kinds[-1] == "leave"
    assert document["damaged"] == 0 and document["stray"] == ""


HEAVY = {
    "asyncio", "cobs", "elftools", "importlib.metadata", "jinja2", "matplotlib",
    "numpy", "qemu", "rich", "serial", "ssl",
}  # fmt: skip
"""What a command waits for, if it imports it."""


def imported(*given: str) -> set[str]:
    """The modules of a process of its own that has carried out this command."""
    script = (
        "import sys\n"
        "from hil.cli import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "print(*sys.modules, file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *given], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("given", [("--help",), ("run", "--help"), ("targets",)])
def test_light_commands_import_nothing_heavy(given: tuple[str, ...]) -> None:
    assert not HEAVY & imported(*given)


def test_a_command_imports_no_other_verb_than_its_own() -> None:
    verbs = {name for name in imported("targets") if name.startswith("hil.verbs.")}
    assert verbs == {"hil.verbs.targets"}


def test_a_native_run_imports_nothing_of_emulators_boards_and_elf(
    host_cc: str, tmp_path: Path
) -> None:
    given = [
        "run",
        "--target",
        "host",
        "--network",
        "64-10",
        "--steps",
        "1",
        "--test",
        "0",
    ]
    assert main([*given, "--out", str(tmp_path)]) == 0  # the image is in the cache now
    found = imported(*given, "--out", str(tmp_path))
    allowed = {"cobs", "importlib.metadata", "jinja2", "numpy", "serial"}
    assert HEAVY & found == allowed
    assert not {name for name in found if name.startswith("hil.desk.loaders")}


def test_doctor_finds_nothing_wrong_where_the_host_target_works(
    host_cc: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--target", "host", "--json", "-"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    checks = {found["check"] for found in findings}
    assert {"python", "package", "compiler for host", "pty", "data", "cache"} <= checks
    assert all(found["state"] != "failure" for found in findings)


def test_doctor_sees_decoys(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    (tmp_path / "codegen.py").touch()
    found = list(doctor.decoys(tmp_path))
    assert [entry.state for entry in found] == ["warning", "warning"]
    assert all(entry.advice for entry in found)


def test_bench_gives_every_rate_and_both_shares(
    host_cc: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.measuring.echo.ROUND_SECONDS", 0.05)
    given = ["bench", "link", "--target", "host", "--steps", "40", "--json", "-"]
    assert main(given) == 0
    document = json.loads(capsys.readouterr().out)
    rates = (
        "raw",
        "echo",
        "link",
        "device",
        "reference",
        "lockstep",
        "resident",
        "bare",
    )
    assert all(document[name] > 0 for name in (*rates, "first_step"))
    parts = document["first_step_parts"]
    assert sum(parts.values()) == pytest.approx(document["first_step"])
    assert all(seconds > 0 for seconds in parts.values())
    shares = {"echo_share", "lockstep_share", "device_share", "bare_share"}
    assert {*rates, *FIRST_STEP, *shares} == set(document["provenance"])


def test_bench_without_comparison_measures_what_needs_no_reference(
    host_cc: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.measuring.echo.ROUND_SECONDS", 0.02)
    given = ["bench", "link", "--target", "host", "--steps", "90", "--compare", "none"]
    assert main([*given, "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert all(document[name] > 0 for name in ("device", "resident", "bare"))
    assert (document["reference"], document["lockstep"]) == (None, None)


FIRST_STEP = ("first_step", "first_step_parts")


@pytest.mark.parametrize("flag", ["--json", "--save"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_done(
    flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing"
    given = ["run", "--target", "host", "--out", str(tmp_path / "runs")]
    assert main([*given, flag, str(missing / "file")]) == 2
    assert f"folder '{missing}' does not exist" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists() and not missing.exists()


def test_doctor_says_when_no_debugger_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And names what is to be installed; a computer of its own needs none."""
    chosen = [targets.load(name) for name in ("host", "mps2-an386", "qemu-rv64gc")]
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = doctor.debugger(chosen)
    assert found.state == doctor.WARNING and "mps2-an386, qemu-rv64gc" in found.text
    assert found.advice == ("apt-get install gdb-multiarch",)
    assert not list(doctor.debugger(chosen[:1]))
    for name in ("arm-none-eabi-gdb", "gdb-multiarch"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
        (found,) = doctor.debugger(chosen)
        assert found.state == (doctor.OK if "multi" in name else doctor.WARNING)
    assert found.text == "gdb-multiarch"
