"""Experiments: strict files, flags that override, and the way back to TOML."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.experiment import Experiment, from_toml, load
from hil.keys import KEYS
from hil.verbs import run as verb


def flags(*given: str) -> Experiment:
    parser = argparse.ArgumentParser()
    verb.arguments(parser)
    return verb.experiment_of(parser.parse_args(list(given)))


def test_every_key_is_a_field_and_every_field_a_key() -> None:
    assert [key.name for key in KEYS] == list(Experiment.__dataclass_fields__)


def test_an_experiment_comes_back_from_its_toml() -> None:
    made = Experiment(
        name='a "name"\\',
        rule="dfa",
        parameters={"feedback": "uniform", "feedback_scale": 0.5},
        network=(7, 17, 1),
        lr=0.1,
        steps=3,
        icount=True,
        compare=16,
        ram=32768,
        debug=True,
    )
    assert "\n[budget]\nram = 32768\n" in made.to_toml()
    assert from_toml(made.to_toml(), "made") == made
    assert from_toml(Experiment().to_toml(), "default") == Experiment()


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("stesp = 3", "has an unknown key 'stesp'", "did you mean 'steps'?"),
        ("samples-per-frame = 3", "unknown key", "did you mean 'samples_per_frame'?"),
        ("steps = '3'", "steps is '3': expected an integer", ""),
        ("steps = 0", "steps is 0: expected an integer from 1", ""),
        ("steps = true", "steps is True: expected an integer", ""),
        ("steps = 1\nepochs = 1", "steps = 1 and epochs = 1: expected one of them", ""),
        ("network = '64'", "expected widths such as", ""),
        ("network = [64, 1.5]", "expected widths such as", ""),
        ("activation = 'tan'", "expected one of tanh, sigmoid, relu, identity", ""),
        ("lr = -0.1", "lr is -0.1: expected a positive number", ""),
        ("lr = inf", "lr is inf: expected a positive number", ""),
        ("compare = 'most'", 'compare is \'most\': expected "every", "none"', ""),
        ("[budget]\nram = '32 bananas'", "ram is '32 bananas': expected a size", ""),
        ("[budget]\nrom = 3", "unknown key [budget] 'rom'", "did you mean 'ram'?"),
        (
            "[budget]\nseed = 3",
            "[budget] seed in the wrong place: expected it in the top",
            "keys of the top stand above the first table",
        ),
        (
            "ram = 3",
            "ram in the wrong place: expected it in [budget]",
            "write [budget] on a line of its own, and ram = ... below it",
        ),
        (
            "budget = 3",
            "budget is 3: expected a table",
            "[budget] stands on a line of its own, its keys below it",
        ),
        ("icount = 1", "icount is 1: expected true or false", ""),
        ("parameters = 3", "parameters is 3: expected a table", ""),
        ("steps = ", "is no TOML", ""),
    ],
)
def test_a_wrong_file_is_one_sentence_naming_file_and_key(
    tmp_path: Path, text: str, sentence: str, hint: str
) -> None:
    path = tmp_path / "exp.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(path) in str(caught.value) and sentence in str(caught.value)
    assert caught.value.hints == ((hint,) if hint else ())
    assert caught.value.exit_code == 2


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_flags_override_keys_of_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "exp.toml"
    path.write_text(
        "rule = 'dfa'\nepochs = 3\nlr = 0.5\nseed = 9\nicount = true\n"
        "[parameters]\nfeedback = 'uniform'\n"
    )
    given = flags(
        str(path), "--network", "64-10", "--steps", "5", "--compare", "16", "--no-icount",
        "--ram", "32 KiB", "--parameter", "feedback_scale=0.5", "--samples-per-frame", "2",
    )  # fmt: skip
    assert given == Experiment(
        rule="dfa", steps=5, lr=0.5, seed=9, network=(64, 10), compare=16, ram=32768,
        parameters={"feedback": "uniform", "feedback_scale": 0.5}, samples_per_frame=2,
    )  # fmt: skip


def test_a_flag_overrides_a_key_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "exp.toml"
    path.write_text("[budget]\nram = '32 KiB'\n")
    assert load(path).ram == 32 << 10
    assert flags(str(path), "--ram", "64 KiB").ram == 64 << 10


def test_no_flags_is_the_default() -> None:
    assert flags() == Experiment()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--steps", "many"], "steps is 'many': expected an integer from 1"),
        (["--parameter", "feedback"], "--parameter is 'feedback': expected NAME=VALUE"),
        (["--compare", "0"], "compare is 0"),
        (["--seed", "-1"], "seed is -1: expected an integer from 0"),
    ],
)
def test_a_wrong_flag_is_one_sentence(given: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        flags(*given)
    assert sentence in str(caught.value)


def test_paths_in_a_file_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "exp.toml").write_text("data = 'mine.npz'\nsave = 'out/w.npz'")
    made = load(tmp_path / "exp.toml")
    assert made.data == str(tmp_path / "mine.npz")
    assert made.save == str(tmp_path / "out/w.npz")
    (tmp_path / "exp.toml").write_text("data = 'digits'")
    assert load(tmp_path / "exp.toml").data == "digits"
