"""Target descriptors: what ships loads, and every mistake is one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import targets
from targets import DescriptorError

CORRECT = (Path(targets.__file__).parent / "qemu-rv64gcv.toml").read_text()


def load_edited(folder: Path, old: str, new: str) -> targets.Target:
    """The rv64gcv target with one piece of its text replaced."""
    assert old in CORRECT
    path = folder / "qemu-rv64gcv.toml"
    path.write_text(CORRECT.replace(old, new))
    return targets.load_file(path)


@pytest.mark.parametrize("name", targets.names())
def test_every_descriptor_that_ships_loads(name: str) -> None:
    target = targets.load(name)
    assert target.name == name
    assert target.title


def test_the_targets_of_the_first_session_are_there() -> None:
    expected = ["host", "qemu-rv32imafc-zve32f", "qemu-rv64gc", "qemu-rv64gcv"]
    assert [name for name in targets.names() if name in expected] == expected


def test_values_arrive_with_their_types() -> None:
    target = targets.load("qemu-rv64gcv")
    assert target.vector == targets.Vector((128, 256, 512, 1024), 256)
    assert target.memory == targets.Memory(0x80000000, 16 << 20, 16 << 10, 2 << 20)
    assert target.limits.boot == 30.0
    assert isinstance(target.limits.boot, float)


def test_host_has_neither_vectors_nor_a_memory_map() -> None:
    target = targets.load("host")
    assert (target.vector, target.memory, target.qemu) == (None, None, None)
    assert target.machine == "native"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        pytest.param(
            "vlens =",
            "vlnes =",
            "unknown key 'vlnes' in table [vector], did you mean 'vlens'?",
            id="unknown key in a table",
        ),
        pytest.param(
            "xlen =",
            "x-len =",
            "unknown key 'x-len' at the top, did you mean 'xlen'?",
            id="unknown key at the top",
        ),
        pytest.param(
            "boot =",
            "colour =",
            "unknown key 'colour' in table [limits]: "
            "expected one of boot, hello, reply, step, stop, watchdog",
            id="unknown key like no other",
        ),
        pytest.param(
            "[limits]",
            "[limit]",
            "unknown key 'limit' at the top, did you mean 'limits'?",
            id="unknown table",
        ),
        pytest.param(
            "stop = 5", "", "key 'stop' in table [limits] is missing", id="missing key"
        ),
        pytest.param(
            'machine = "virt"',
            "machine = 1",
            "key 'machine' in table [qemu] is 1: expected a string",
            id="number for a string",
        ),
        pytest.param(
            "xlen = 64",
            "xlen = true",
            "key 'xlen' at the top is True: expected an integer",
            id="boolean for an integer",
        ),
        pytest.param(
            "vlens = [128, 256, 512, 1024]",
            "vlens = [128, 256.0]",
            "key 'vlens' in table [vector] is [128, 256.0]: "
            "expected a list, each of it an integer",
            id="float in a list of integers",
        ),
        pytest.param(
            "[vector]\n",
            "[[vector]]\n",
            "key 'vector' at the top is [{'vlens': [128, 256, 512, 1024], "
            "'default': 256}]: expected a table",
            id="list for a table",
        ),
        pytest.param(
            "watchdog = 10",
            "watchdog = 60",
            "watchdog = 60 in [limits] is not below step = 60: the host would give "
            "up before the device tells why",
            id="watchdog that comes too late",
        ),
        pytest.param(
            "default = 256",
            "default = 333",
            "default 333 is not one of vlens 128, 256, 512, 1024",
            id="default that is no choice",
        ),
        pytest.param(
            "vlens = [128,",
            "vlens = [96,",
            "vlens holds 96: expected powers of two from 128 to 65536",
            id="VLEN that no core may have",
        ),
        pytest.param(
            "vlen={vlen}",
            "vlen=256",
            "cpu in [qemu] must hold {vlen} exactly when there is a table [vector]",
            id="VLEN that cannot be asked for",
        ),
        pytest.param(
            "xlen = 64", "xlen = 16", "xlen 16 is neither 32 nor 64", id="xlen"
        ),
        pytest.param(
            'machine = "qemu"',
            'machine = "qmeu"',
            "unknown machine 'qmeu': expected one of qemu, native, user",
            id="unknown machine",
        ),
        pytest.param(
            "stop = 5",
            "stop = 0",
            "stop = 0 in [limits] is not in 0..3600 seconds",
            id="limit that has always passed",
        ),
        pytest.param(
            "stack = 0x4000",
            "stack = 0x400_0000",
            "memory of 16777216 bytes at 0x80000000, 2097152 of them reserved, with a "
            "stack of 67108864 bytes is not possible",
            id="stack larger than RAM",
        ),
        pytest.param(
            'name = "qemu-rv64gcv"',
            'name = "other"',
            "name 'other' is not the file's name 'qemu-rv64gcv'",
            id="name of another file",
        ),
    ],
)
def test_a_mistake_is_one_sentence_that_names_file_and_key(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    with pytest.raises(DescriptorError) as caught:
        load_edited(tmp_path, old, new)
    assert str(caught.value) == f"{tmp_path.name}/qemu-rv64gcv.toml: {sentence}"


def test_a_qemu_target_needs_its_table(tmp_path: Path) -> None:
    path = tmp_path / "qemu-rv64gc.toml"
    text = (Path(targets.__file__).parent / path.name).read_text()
    head, tail = text.split("[qemu]")
    path.write_text(head + "[limits]" + tail.split("[limits]")[1])
    with pytest.raises(DescriptorError, match=r"needs a table \[qemu\]"):
        targets.load_file(path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('binary = "qemu-riscv64"', 'binary = "qemu-riscv64"\nmachine = "virt"',
         "machine 'user' is a process, so key 'machine' in table [qemu] says nothing"),
        ("[limits]", "[memory]\norigin = 0\nram = 8\nstack = 4\n[limits]",
         "whose memory the system lays out: expected no table [memory]"),
        ('machine = "user"', 'machine = "qemu"', "needs a table [memory]"),
    ],
)  # fmt: skip
def test_a_process_has_the_tables_of_one(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = tmp_path / "linux-riscv64-rvv.toml"
    text = (Path(targets.__file__).parent / path.name).read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DescriptorError, match=re.escape(sentence)):
        targets.load_file(path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[arm]", "[uart_too]", "unknown key 'uart_too' at the top"),
        ("[arm]\n", "[riscv]\nclint = 0\nplic = 0\ntimebase = 1000\n[arm]\n",
         "table [riscv] is too much: expected one where machine is 'qemu' and isa "
         "begins with 'rv', and only there"),
        ('isa = "armv8-m.main+dsp+fp"', 'isa = "rv32imafc"',
         "table [riscv] is missing: expected one where machine is 'qemu' and isa "
         "begins with 'rv', and only there"),
        ("[arm]\n", "[arm]\nclock = 999\n#", "clock 999 in [arm] is too slow"),
    ],
)  # fmt: skip
def test_a_core_has_the_table_of_its_kind(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    path = tmp_path / "mps2-an505.toml"
    text = (Path(targets.__file__).parent / path.name).read_text()
    text = text.replace("# The same SYSCLK.\n", "")
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DescriptorError, match=re.escape(sentence)):
        targets.load_file(path)


def test_a_machine_in_qemu_needs_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        DescriptorError, match=r"key 'machine' in table \[qemu\] is mis"
    ):
        load_edited(tmp_path, 'machine = "virt"', "")


def test_broken_toml_names_the_file_and_the_place(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text("name = \n")
    with pytest.raises(DescriptorError, match=r"board\.toml is not TOML: .*line 1"):
        targets.load_file(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match=r"cannot read .*/board\.toml"):
        targets.load_file(tmp_path / "board.toml")


def test_unknown_target_suggests_and_lists() -> None:
    with pytest.raises(DescriptorError) as caught:
        targets.load("qemu-rv64gvc")
    assert str(caught.value).startswith("unknown target 'qemu-rv64gvc', did you mean")
    assert "'qemu-rv64gcv'" in str(caught.value)
    assert all(name in caught.value.hints[0] for name in targets.names())
    assert caught.value.exit_code == 2


def test_a_target_is_a_name_and_not_a_path() -> None:
    with pytest.raises(DescriptorError, match="unknown target"):
        targets.load("../targets/host")


def test_vlen_is_the_targets_own_unless_asked_for() -> None:
    target = targets.load("qemu-rv64gcv")
    assert target.vlen(None) == 256
    assert target.vlen(1024) == 1024
    assert targets.load("qemu-rv64gc").vlen(None) == 0
    assert targets.load("host").vlen(0) == 0


@pytest.mark.parametrize("vlen", [0, 64, 333, 2048])
def test_a_vlen_that_the_target_has_not_is_refused(vlen: int) -> None:
    with pytest.raises(DescriptorError) as caught:
        targets.load("qemu-rv64gcv").vlen(vlen)
    assert str(caught.value) == (
        f"target 'qemu-rv64gcv' has no VLEN {vlen}: expected one of 128, 256, 512, 1024"
    )


def test_a_vlen_for_a_core_without_vectors_is_refused() -> None:
    with pytest.raises(DescriptorError, match="no vector unit, so VLEN 256"):
        targets.load("qemu-rv64gc").vlen(256)


def test_the_host_waits_longer_for_a_guest_that_counts() -> None:
    target = targets.load("qemu-rv64gcv")
    limits = target.counted().limits
    assert (limits.step, limits.reply) == (300, 100)
    assert (limits.boot, limits.watchdog) == (30, target.limits.watchdog)
