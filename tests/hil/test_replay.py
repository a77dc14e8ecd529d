"""A recorded step done again: equal or not, on any machine, and under a debugger.

More than 400 lines because its tests share recorded runs that take seconds.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from emulation.native import NativeMachine
from hil import Experiment, RunRecord, run
from hil.cli import main
from hil.errors import DeviceFault

pytestmark = pytest.mark.usefixtures("host_cc")
ROOT = Path(__file__).parents[2]
LIMIT = 60.0
Mutate = Callable[[str, str, str], None]
Replay = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str]) -> Replay:
    """Runs the verb: exit code and document."""

    def verb(folder: Path, *given: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["replay", str(folder), *given, "--json", "-"])
        return code, json.loads(capsys.readouterr().out)

    return verb


def differing(document: dict[str, Any]) -> dict[str, int]:
    rows = document["tensors"]
    return {row["tensor"]: row["differing"] for row in rows if row["differing"]}


def first_difference(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        row["first"] for row in document["tensors"] if row["differing"]
    )
    return found


@pytest.mark.parametrize("step", [0, 7, 59])
def test_a_step_of_a_run_that_passed_is_equal(
    small: Experiment, folder: Path, replay: Replay, step: int
) -> None:
    record = run(small, out=folder)
    code, document = replay(record.folder, "--step", str(step))
    assert (code, document["result"], differing(document)) == (0, "pass", {})
    assert document["step"] == step
    assert document["build_digest"] == record.image["build_digest"]
    names = [row["tensor"] for row in document["tensors"]]
    assert names[:3] == ["outputs", "loss", "digest"]
    assert {"h1", "e", "W1", "b1", "W2", "b2"} <= set(names)


def test_without_a_number_it_is_the_last_step(
    small: Experiment, folder: Path, replay: Replay
) -> None:
    _, document = replay(run(small, out=folder).folder)
    assert document["step"] == small.steps - 1 if small.steps else None


def test_a_step_that_differed_differs_again_and_the_one_before_it_does_not(
    small: Experiment,
    folder: Path,
    replay: Replay,
    mutate: Mutate,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wrong only with the second epoch's rate, so only from step 1437 on."""
    mutate(
        "listed_update__scalar.c.j2",
        "-(eta * x[k])",
        "-(eta * x[k]) * (eta < 0.029f ? 2 : 1)",
    )
    record = run(small.override({"steps": 1500}), out=folder)
    assert record.divergence is not None
    code, document = replay(record.folder)
    assert (code, document["step"]) == (1, 1437)
    assert {"digest", "W1", "W2"} <= set(differing(document))
    seen = next(row for row in document["tensors"] if row["tensor"] == "W1")
    assert 1 < seen["differing"] <= seen["elements"] == 64 * 17
    told = {**seen["first"], "note": record.divergence["note"]}
    assert told == record.divergence
    assert replay(record.folder, "--step", "1436")[0] == 0
    assert main(["replay", str(record.folder)]) == 1
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith("DIFFERENT: step 1437 (step), W1[")


def test_a_step_that_only_differs_after_one_left_pending_differs_again(
    small: Experiment, folder: Path, replay: Replay, mutate: Mutate
) -> None:
    mutate(
        "dense_fused__scalar.c.j2",
        "a[j] = hil_fma(x[i], w[j], a[j])",
        "a[j] = hil_fma(x[i], w[j] - s[i] * d[j], a[j])",
    )
    record = run(small.override({"schedule": "fused", "compare": 16}), out=folder)
    assert record.divergence is not None and record.divergence["step"] % 16
    code, document = replay(record.folder)
    assert (code, document["step"]) == (1, record.divergence["step"])
    assert first_difference(document)["tensor"] in ("outputs", "h1")


def test_a_step_in_which_both_stop_is_equal_and_told(
    small: Experiment, folder: Path, replay: Replay
) -> None:
    change = {"lr": 1e30, "activation": "identity", "output": "identity"}
    with pytest.raises(DeviceFault):
        run(small.override(change), out=folder)
    (only,) = folder.iterdir()
    code, document = replay(only)
    assert code == 0 and "non-finite" in document["note"]


@pytest.mark.parametrize("rule", ["bp", "fg-weight", "local"])
def test_another_machine_does_the_same_step(
    qemu64: str, small: Experiment, folder: Path, replay: Replay, rule: str
) -> None:
    record = run(small.override({"rule": rule, "resident": 40}), out=folder)
    for step in ("5", "50"):  # its sample lies in the image, and does not
        code, document = replay(
            record.folder, "--step", step, "--target", "qemu-rv64gcv", "--vlen", "512"
        )
        assert (code, document["vlen"]) == (0, 512)
        assert document["build_digest"] != record.image["build_digest"]


def test_a_unit_does_the_same_step(
    board: Callable[[Experiment], Any],
    small: Experiment,
    folder: Path,
    replay: Replay,
) -> None:
    record = run(small, out=folder)
    url = board(small).url
    assert replay(record.folder, "--step", "9", "--unit", url)[0] == 0


def refused(replay: Replay, folder: Path, *given: str) -> str:
    code, document = replay(folder, *given)
    assert code == 2
    return str(document["error"]["sentence"])


@pytest.fixture
def record(small: Experiment, folder: Path) -> RunRecord:
    return run(small, out=folder)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, replay: Replay) -> None:
    assert "is no folder of a run" in refused(replay, tmp_path)


def test_a_step_that_the_run_has_not_is_refused(
    record: RunRecord, replay: Replay
) -> None:
    assert refused(replay, record.folder, "--step", "60") == (
        "--step is 60: expected 0 to 59"
    )


def test_an_image_that_is_no_longer_what_is_generated_is_refused(
    record: RunRecord, replay: Replay, mutate: Mutate
) -> None:
    mutate("listed_update__scalar.c.j2", "-(eta * x[k])", "-(x[k] * eta)")
    said = refused(replay, record.folder)
    assert f"is build {str(record.image['build_digest'])[:8]}, but its exp" in said
    assert "generated/" in said


def test_a_record_without_its_image_has_it_built_again(
    record: RunRecord, replay: Replay
) -> None:
    (record.folder / "image.elf").unlink()
    code, document = replay(record.folder)
    assert (code, document["build_digest"]) == (0, record.image["build_digest"])


def write_over(path: Path, mark: Path) -> None:
    """A script in the image's place, which leaves a mark when it runs."""
    path.write_text(f"#!/bin/sh\ntouch {mark}\n")


def longer(path: Path, mark: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def one_bit(path: Path, mark: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def link(path: Path, mark: Path) -> None:
    """To the very bytes that were recorded: what it leads to may change."""
    path.rename(path.with_name("other"))
    path.symlink_to("other")


@pytest.mark.parametrize("change", [write_over, longer, one_bit, link])
def test_an_image_that_was_changed_is_refused_and_never_run(
    record: RunRecord,
    replay: Replay,
    tmp_path: Path,
    change: Callable[[Path, Path], None],
) -> None:
    image, mark = record.folder / "image.elf", tmp_path / "mark"
    change(image, mark)
    image.chmod(0o755)
    said = refused(replay, record.folder)
    assert said.endswith(
        "image.elf' is not what the run's experiment builds, and is not run: expected "
        f"the bytes of build {str(record.image['build_digest'])[:8]}"
    )
    assert not mark.exists()


def test_what_runs_is_the_image_that_was_built_here(
    record: RunRecord, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the recorded one, which may change after it was looked at."""
    started: list[Path] = []
    machine = NativeMachine.__init__

    def seen(self: NativeMachine, target: Any, image: Path, *rest: Any) -> None:
        started.append(image)
        machine(self, target, image, *rest)

    monkeypatch.setattr(NativeMachine, "__init__", seen)
    assert replay(record.folder)[0] == 0
    assert started and not started[0].is_relative_to(record.folder)


def test_initial_weights_that_are_others_now_are_refused(
    small: Experiment, folder: Path, tmp_path: Path, replay: Replay
) -> None:
    path = tmp_path / "weights.npz"
    run(small.override({"save": str(path)}), out=folder)
    record = run(small.override({"init": str(path)}), out=folder)
    assert replay(record.folder, "--step", "3")[0] == 0
    with np.load(path) as file:
        other = {name: file[name] * np.float32(2) for name in file.files}
    np.savez(path, **other)
    assert "before step 3 the run had digest" in refused(
        replay, record.folder, "--step", "3"
    )


def test_a_run_that_held_a_budget_is_refused(
    qemu64: str, small: Experiment, folder: Path, replay: Replay
) -> None:
    change = {"target": "qemu-rv64gc", "icount": True, "gate": "row", "steps": 3}
    record = run(small.override({**change, "instructions": 5000}), out=folder)
    assert "followed the device's counter" in refused(replay, record.folder)


@pytest.mark.parametrize(
    ("given", "why"),
    [((), "runs as a process"), (("--unit", "/dev/ttyNOSUCH7"), "stops an emulator")],
)
def test_a_debugger_wants_an_emulator(
    record: RunRecord, replay: Replay, given: tuple[str, ...], why: str
) -> None:
    assert why in refused(replay, record.folder, "--gdb", *given)


class Gdb:
    """A debugger's end of gdb's remote protocol, as far as a test needs one."""

    PC = 32
    """The program counter among RISC-V's registers."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=LIMIT)
        self._stream = self._socket.makefile("rb")

    def ask(self, packet: str) -> str:
        """What is answered; to "c" that is when the guest stops again."""
        self.send(packet)
        assert self._stream.read(1) == b"$"
        body = b""
        while (byte := self._stream.read(1)) != b"#":
            body += byte
        assert int(self._stream.read(2), 16) == sum(body) % 256
        self._socket.sendall(b"+")
        return body.decode()

    def send(self, packet: str) -> None:
        """Send it, and see that it was taken."""
        body = packet.encode()
        self._socket.sendall(b"$" + body + b"#%02x" % (sum(body) % 256))
        assert self._stream.read(1) == b"+"

    def pc(self, width: int) -> int:
        """The program counter; registers are `width` bytes wide."""
        place = Gdb.PC * width
        registers = bytes.fromhex(self.ask("g"))
        return int.from_bytes(registers[place : place + width], "little")

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()


@contextmanager
def under_gdb(folder: Path, *given: str) -> Iterator[tuple[Any, str, Path]]:
    """The verb in a process of its own: that, its stub's address, and the ELF."""
    command = [sys.executable, "-m", "hil", "replay", str(folder), "--gdb", *given]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if line.startswith("waiting"):
                    break
            found = re.search(r"gdb\S* -q (\S+) .*'target remote (\S+)'", said)
            assert found is not None, said
            yield process, found[2], Path(found[1])
        finally:
            process.terminate()


def address_of(symbol: str, elf: Path) -> int:
    with elf.open("rb") as file:
        table: Any = ELFFile(file).get_section_by_name(".symtab")
        (found,) = table.get_symbol_by_name(symbol)
        return int(found["st_value"])


@pytest.mark.parametrize(
    ("change", "width"),
    [
        ({"target": "qemu-rv64gcv"}, 8),
        ({"target": "qemu-rv32imafc-zve32f", "console": "pty"}, 4),
        ({"target": "qemu-rv64gc", "icount": True, "rule": "bp"}, 8),
    ],
)
def test_a_debugger_stops_at_the_step_and_lets_it_go_on(
    qemu64: str,
    qemu32: str,
    small: Experiment,
    folder: Path,
    change: dict[str, Any],
    width: int,
) -> None:
    record = run(small.override(change), out=folder)
    with under_gdb(record.folder, "--step", "12") as (process, stub, elf):
        entry = address_of("net_step", elf)
        with closing(Gdb(stub)) as gdb:
            assert gdb.ask("?").startswith("T")
            assert gdb.pc(width) != entry
            assert gdb.ask(f"Z0,{entry:x},4") == "OK"
            assert gdb.ask("c").startswith("T05")
            assert gdb.pc(width) == entry
            for _ in range(20):
                assert gdb.ask("s").startswith("T05")
            assert gdb.pc(width) != entry
            assert gdb.ask(f"z0,{entry:x},4") == "OK"
            gdb.send("c")
            said, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, said
    assert "EQUAL: step 12, " in said


def test_a_debugger_that_kills_the_guest_is_told_as_that(
    qemu64: str, small: Experiment, folder: Path
) -> None:
    record = run(small.override({"target": "qemu-rv64gcv"}), out=folder)
    with under_gdb(record.folder) as (process, stub, _):
        with closing(Gdb(stub)) as gdb:
            gdb.send("k")
        said, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 8
    assert "hil: the debugger ended the device before its step was done" in said


def test_ctrl_c_ends_the_wait_for_a_debugger(
    qemu64: str, small: Experiment, folder: Path
) -> None:
    record = run(small.override({"target": "qemu-rv64gcv"}), out=folder)
    with under_gdb(record.folder) as (process, _, _):
        process.terminate()
        said, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 143 and "terminated by SIGTERM" in said
