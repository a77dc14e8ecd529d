"""A Linux board over ssh: a real daemon on this computer, whose programs run in QEMU's
user mode."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import targets
from hil import Experiment
from hil.cli import main
from hil.desk.flashing import who_is_there
from hil.desk.loaders import loader_for
from hil.device.link import ssh as ssh_line
from hil.device.link.channel import Channel
from hil.device.ssh import STARTED, Remote, with_settings
from hil.device.units import chosen
from hil.errors import FlashError, LineClosed, LinkError, UsageError
from hil.learning.metrics import Status
from hil.learning.progress import Progress
from hil.learning.session import run
from hil.learning.telling import Learned
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare
from tests.conftest import require
from tests.hil.sshd import Daemon

TARGET = "linux-riscv64-rvv"
CPU = "rv64,v=true,vext_spec=v1.0,vlen=256"
OLD, NEW = "64-18-10", "64-17-10"
SHORT = ("--network", NEW, "--steps", "40", "--test", "20")


@pytest.fixture(scope="module")
def sshd() -> str:
    """The daemon, which is seldom in PATH."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    require(shutil.which("ssh"), "ssh", "make system-packages")
    return require(shutil.which("sshd", path=path), "sshd", "make system-packages")


@pytest.fixture
def daemon(
    request: pytest.FixtureRequest, sshd: str, tmp_path: Path
) -> Iterator[Daemon]:
    """A board's; with an SFTP server unless the test says otherwise."""
    folder = tmp_path / "keys"
    folder.mkdir()
    made = Daemon(sshd, folder, sftp=getattr(request, "param", True))
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the image is on the board."""
    return tmp_path / "board"


@pytest.fixture
def bench(
    daemon: Daemon,
    qemu_user: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A bench with that board as unit `k1`."""
    file = tmp_path / "bench.toml"
    file.write_text(
        f'[units.k1]\ntarget = "{TARGET}"\nport = "ssh://board/{home}/image"\n'
        f'loader = "ssh"\nconfig = "{daemon.config}"\n'
        f'run = "{qemu_user} -cpu {CPU} {{image}}"\n'
    )
    monkeypatch.setenv("HIL_BENCH", str(file))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return file


def image(network: str) -> Path:
    asked = Experiment(target=TARGET, unit="/dev/null", network=network)
    return build(plan_for(prepare(asked))).image.path


def put(network: str) -> None:
    """An image onto the board, whoever answers there."""
    loader_for(chosen("k1", TARGET), targets.load(TARGET)).program(image(network))


def flash(*given: str, network: str = NEW) -> int:
    return main(["flash", "--unit", "k1", "--network", network, *given])


def test_an_empty_board_is_flashed_and_learns_bit_exact(
    bench: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, runs = tmp_path / "record.json", str(tmp_path / "runs")
    assert main(["run", "--unit", *SHORT, "--out", runs, "--json", str(where)]) == 0
    record = json.loads(where.read_text())
    assert (record["compared"], record["target"], record["vlen"]) == (40, TARGET, 256)
    assert (home / "image").read_bytes() == image(NEW).read_bytes()
    # nobody has said that it is a board, and it is none
    assert (record["board"], record["provenance"]["speed"]) == (None, "emulated")
    assert record["instructions_per_step"] is None  # no perf in QEMU's user mode
    capsys.readouterr()
    assert flash() == 0
    assert "k1: runs it already" in capsys.readouterr().out
    assert main(["reset", "--unit"]) == 0
    assert "reset by loader ssh" in capsys.readouterr().out
    assert main(["monitor", "--unit", "--seconds", "0.1"]) == 0
    assert flash(network=OLD) == 0
    assert "k1: flashed, and the new image has answered" in capsys.readouterr().out
    assert {path.name for path in home.iterdir()} == {
        "image", "image.flash", "image.pid",
    }  # fmt: skip


@pytest.mark.parametrize("daemon", [False], indirect=True)
def test_a_board_without_an_sftp_server_takes_files_all_the_same(
    bench: Path, home: Path
) -> None:
    put(NEW)
    assert (home / "image").read_bytes() == image(NEW).read_bytes()


def test_a_stale_image_is_found_and_another_target_refused(
    bench: Path, daemon: Daemon, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(OLD)
    elsewhere = f"scp -q -F {daemon.config} {{image}} board:{home}/elsewhere"
    for command in ("true {image}", elsewhere):
        assert flash("--with", command) == 6
        assert "not the new image answers: the device" in capsys.readouterr().err
    assert (home / "elsewhere").exists()
    bench.write_text(bench.read_text().replace(TARGET, "host"))
    assert flash() == 6
    assert f"says that it is target '{TARGET}'" in capsys.readouterr().err


def test_what_did_not_arrive_whole_takes_no_ones_place(
    bench: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scp that says it has copied, and has lost the last byte."""
    put(OLD)
    tools = tmp_path / "tools"
    tools.mkdir()
    scp = tools / "scp"
    scp.write_text(
        f'#!/bin/sh\n{shutil.which("scp")} "$@" && truncate -s -1 {home}/image.new\n'
    )
    scp.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    with pytest.raises(FlashError) as caught:
        put(NEW)
    assert any("what arrived has SHA-256" in hint for hint in caught.value.hints)
    assert (home / "image").read_bytes() == image(OLD).read_bytes()
    assert not (home / "image.new").exists()


def test_what_ssh_says_is_told(
    bench: Path,
    daemon: Daemon,
    capsys: pytest.CaptureFixture[str],
    free_port: Callable[[], int],
) -> None:
    """A host key that is not the known one, and nobody at the port."""
    daemon.new_key("other")
    known = (daemon.folder / "host.pub").read_text()
    daemon.know((daemon.folder / "other.pub").read_text())
    assert flash() == 5
    assert "exit code 255: Host key verification failed" in capsys.readouterr().err
    assert main(["reset", "--unit"]) == 4
    assert "Host key verification failed" in capsys.readouterr().err
    daemon.know(known)
    text = daemon.config.read_text()
    daemon.config.write_text(text.replace(f"Port {daemon.port}", f"Port {free_port()}"))
    assert flash() == 5
    told = capsys.readouterr().err
    assert "port 'ssh://board/" in told and "Connection refused" in told
    assert f"hint: `ssh -o BatchMode=yes -F {daemon.config} board true`" in told


def test_a_program_that_does_not_start_is_told(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write_text(bench.read_text().replace(f"-cpu {CPU}", "--no-such-option"))
    assert flash() == 4
    assert "the new image has not answered" in capsys.readouterr().err
    assert flash() == 5
    told = capsys.readouterr().err
    assert "the program ended with exit code 1" in told
    assert "hint: `hil flash --blank` puts the image" in told
    bench.write_text(bench.read_text().replace("--no-such-option", f"-cpu {CPU}"))
    assert flash("--blank") == 0


def test_who_opens_the_line_or_resets_ends_the_earlier_program(bench: Path) -> None:
    put(NEW)
    unit = chosen("k1", TARGET)
    with Channel(unit.url) as first, Channel(unit.url) as second:
        with pytest.raises(LineClosed, match="the program was ended by SIGTERM"):
            first.pump(20.0)
        assert who_is_there(unit.url, 20.0) is not None
        with pytest.raises(LineClosed, match="SIGTERM"):
            second.pump(20.0)
        with Channel(unit.url) as third:
            loader_for(unit, targets.load(TARGET)).reset()
            with pytest.raises(LineClosed, match="SIGTERM"):
                third.pump(20.0)


class Killing(Progress):
    """Kills the program that learns, once, in the midst."""

    def __init__(self, number: Path) -> None:
        self._number: Path | None = number

    def learning(self, done: Sequence[Learned], status: Callable[[], Status]) -> None:
        """At step 30."""
        if self._number is not None and any(each.step == 30 for each in done):
            os.kill(int(self._number.read_text()), signal.SIGKILL)
            self._number = None


def test_a_program_that_is_killed_is_told_or_taken_back_to_its_checkpoint(
    bench: Path, home: Path, tmp_path: Path
) -> None:
    asked = Experiment(
        target=TARGET, unit="k1", network=(64, 17, 10), steps=400, test=0
    )
    kill = home / "image.pid"
    with pytest.raises(LineClosed, match="the program was ended by SIGKILL"):
        run(asked, out=tmp_path, progress=Killing(kill))
    lasting = asked.override({"commit": 20})
    record = run(lasting, out=tmp_path, progress=Killing(kill))
    assert (record.result, record.compared) == ("pass", 400)
    assert (record.link["replugged"], record.link["recovered"]) == (1, 1)
    more = run(lasting.override({"steps": 440}), out=tmp_path, resume=True)
    assert (more.result, more.resumed_from, more.compared) == ("pass", 400, 40)


def test_a_board_that_is_named_is_measured(
    bench: Path, home: Path, host_cc: str, tmp_path: Path
) -> None:
    """This computer is one, for programs that are its own."""
    lines = bench.read_text().replace(TARGET, "host").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("run"))
    bench.write_text(f'{text}\nboard = "the computer of the tests"\n')
    asked = Experiment(target="host", unit="k1", network=(64, 17, 10), steps=40, test=9)
    record = run(asked, out=tmp_path)
    assert (record.result, record.board) == ("pass", "the computer of the tests")
    kinds = record.provenance
    assert (kinds["speed"], kinds["instructions_per_step"]) == ("measured", "measured")


def test_command_lines_are_these() -> None:
    bare = Remote.of("ssh://me@lab-3:2222")
    options = [
        "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
        "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
    ]  # fmt: skip
    assert bare.ssh("true") == [
        "ssh", "-T", *options, "-p", "2222", "--", "me@lab-3", "sh -c true",
    ]  # fmt: skip
    url = with_settings("ssh://me@[fe80::1]/a/b", "taskset -c 3 {image}", "lab conf")
    there = Remote.of(url)
    assert there == Remote(
        "me@fe80::1", None, "a/b", "taskset -c 3 {image}", "lab conf"
    )
    assert there.scp("x.elf", "a/b.new", "-O") == [
        "scp", "-q", "-O", "-F", "lab conf", *options, "--", "x.elf",
        "me@[fe80::1]:a/b.new",
    ]  # fmt: skip
    assert "\ntaskset -c 3 ./a/b --stdio --flash a/b.flash <&3" in there.starting()
    assert Remote.of("ssh://lab//opt/hil/x").image == "/opt/hil/x"


@pytest.mark.parametrize(
    "url",
    ["ssh://", "ssh://-oProxyCommand=x", "ssh://a b", "ssh://a/x;y", "ssh://a?x=1"],
)
def test_what_is_no_board_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="port 'ssh://"):
        Remote.of(url)


def test_a_login_shell_that_never_stops_talking_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The silence between two bytes is never long, and still the time is over."""
    talks = tmp_path / "ssh"
    talks.write_text("#!/bin/sh\nexec yes welcome\n")
    talks.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(ssh_line, "OPENING", 0.3)
    with pytest.raises(LinkError, match=r"did not open within 0\.3 s"):
        ssh_line.SshPort("ssh://board")


@pytest.mark.parametrize(
    "begins, sentence",
    [("true", "does not open: more than 1,048,576 bytes came to its error output"),
     (f"printf '{STARTED.decode().strip()}\\n'",
      "was closed by its other end .more than 1,048,576 bytes came to its error")],
)  # fmt: skip
def test_a_board_whose_error_output_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins: str, sentence: str
) -> None:
    talks = tmp_path / "ssh"
    talks.write_text(f"#!/bin/sh\n{begins}\nyes and more of it >&2\n")
    talks.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(LinkError, match=sentence), Channel("ssh://board") as line:
        while True:
            line.pump(10.0)


def test_a_program_that_ends_before_it_has_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket then tells of a reset connection, which says nothing of the program."""
    ends = tmp_path / "ssh"
    begins = f"printf '{STARTED.decode().strip()}\\n'"
    ends.write_text(f"#!/bin/sh\n{begins}\nread -r _\nexit 3\n")
    ends.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with (
        pytest.raises(LineClosed, match="the program ended with exit code 3"),
        Channel("ssh://board") as line,
    ):
        line.send(b"\n" + bytes(1000))
        while True:
            line.pump(10.0)


def test_without_ssh_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LinkError, match="needs ssh, which is not there") as caught:
        Channel("ssh://board")
    assert "openssh-client" in caught.value.hints[0]
