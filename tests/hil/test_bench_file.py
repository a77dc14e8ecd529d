"""hil bench list and add: the bench file is written and shown as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil.cli import main
from hil.desk import locks
from hil.device import units


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIL_BENCH", str(tmp_path / "new" / "bench.toml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "new" / "bench.toml"


def test_what_is_added_is_there_and_what_was_there_stays(
    bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    power = 'sh -c "switch {state}"'
    given = ["--target", "host", "--port", str(tmp_path), "--power", power]
    assert main(["bench", "add", "desk", *given]) == 0
    text = "# my own words\n" + bench.read_text()
    bench.write_text(text)
    assert (
        main(["bench", "add", "shelf", "--target", "host", "--port", "/no/port"]) == 0
    )
    assert bench.read_text().startswith(text)
    assert units.bench()["desk"].power == power
    assert main(["bench", "add", "desk", *given]) == 2
    assert "has a unit 'desk' already" in capsys.readouterr().err


def test_a_wrong_unit_is_not_written(bench: Path) -> None:
    given = ["--target", "hots", "--port", "/no/port"]
    assert main(["bench", "add", "desk", *given]) == 2
    assert not bench.exists()


def test_the_list_says_which_are_there_and_free(
    bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, port in (
        ("here", str(tmp_path)), ("away", "/no/port"), ("plug", "usb:99-9"),
        ("lab", "rfc2217://lab:4000"),
    ):  # fmt: skip
        assert main(["bench", "add", name, "--target", "host", "--port", port]) == 0
    capsys.readouterr()

    def states() -> dict[str, str]:
        assert main(["bench", "list", "--json", "-"]) == 0
        listed = json.loads(capsys.readouterr().out)["units"]
        return {unit["name"]: unit["state"] for unit in listed}

    expected = {"here": "free", "away": "not there", "plug": "not there"}
    assert states() == {**expected, "lab": "remote, free"}
    with locks.held(units.bench()["here"]):
        assert states()["here"] == "in use"
