"""hil monitor on a port that talks, in frames and in text, and goes away."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from codegen import protocol
from hil.cli import main
from hil.device.link.frame import Decoder, encode

COMMIT = encode(
    protocol.COMMIT.kind | protocol.REPLY, 0, 7, 0xABCD,
    protocol.COMMIT.reply.pack(*range(1, 1 + len(protocol.COMMIT.reply.fields)))
    if protocol.COMMIT.reply else b"",
)  # fmt: skip


def test_text_is_shown_line_by_line_and_never_twice() -> None:
    decoder = Decoder()
    assert decoder.feed(b"boot ROM v1\nsecond") == []
    assert decoder.loose() == b"boot ROM v1\n"
    assert decoder.loose() == b""
    assert len(decoder.feed(b" line\n" + COMMIT[:5] + COMMIT[5:])) == 1
    assert decoder.loose() == b"second line\n"
    decoder.feed(b"\x01\x02\n\x03\0")
    assert decoder.loose() == b"\x01\x02\n\x03"


def test_a_port_that_goes_and_comes_back_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    over = threading.Event()  # the time is, once the port has gone again
    clock = SimpleNamespace(monotonic=lambda: 2.0 * over.is_set(), sleep=over.wait)
    monkeypatch.setattr("hil.verbs.monitor.time", clock)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        bench, said = tmp_path / "bench.toml", tmp_path / "said.json"
        bench.write_text(
            f'[units.desk]\ntarget = "host"\nport = "socket://127.0.0.1:{port}"\n'
        )
        monkeypatch.setenv("HIL_BENCH", str(bench))

        def talk() -> None:
            with server.accept()[0] as first:
                first.sendall(b"hello from the boot loader\n" + COMMIT)
            with server.accept()[0] as again:
                again.sendall(COMMIT + b"and on\n")
            with server.accept()[0]:
                over.set()

        talker = threading.Thread(target=talk)
        talker.start()
        assert main(["monitor", "--unit", "--seconds", "2", "--json", str(said)]) == 0
        talker.join()
    told = json.loads(said.read_text())
    assert [text["text"] for text in told["texts"]] == [
        "hello from the boot loader", "and on",
    ]  # fmt: skip
    assert [frame["kind"] for frame in told["frames"]] == ["commit", "commit"]
    fields = told["frames"][0]["fields"]
    assert protocol.COMMIT.reply is not None
    assert list(fields) == [field.name for field in protocol.COMMIT.reply.fields]
    assert told["frames"][0]["time"].endswith("+00:00")


def test_a_source_or_a_unit_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor"]) == 2
    assert "needs SOURCE or --unit" in capsys.readouterr().err
