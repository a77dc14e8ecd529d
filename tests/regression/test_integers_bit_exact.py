"""Learning in integers, every step equal: formats and rules in pairs with machines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import targets
from codegen.planning.plan import plan
from codegen.rendering.render import render
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil import Experiment, run
from hil.records.verdict import verdict

MEETINGS = (
    ("host", "dfa", "i16", {"activation": "hard-tanh", "error_gate": 0.3}),
    ("host", "bp", "i8", {"clip_weights": 0.5, "debug": True}),
    ("host", "local", "i16", {"network": "64-33-1-10"}),
    ("host", "drtp", "i8", {"freeze": 10}),
    ("qemu-rv64gcv", "readout", "i16", {}),
    ("qemu-rv32imafc-zve32f", "fa", "i8", {"toolchain": "clang"}),
    ("netduinoplus2", "local", "i8", {}),
    ("sifive-e", "bp", "i16", {"network": "64-24-10"}),
    ("microbit", "dfa", "i8", {"network": "64-24-10", "parameters": {"error": "ternary"}}),
)  # fmt: skip
"""Machines, rules and formats, each of the first two once, with what else there is."""


@pytest.mark.parametrize("target, rule, number_format, keys", MEETINGS, ids=str)
def test_every_step_in_integers_is_equal(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, target: str, rule: str,
    number_format: str, keys: dict[str, object],
) -> None:  # fmt: skip
    asked = {"network": "64-19-13-10", "steps": 40, "test": 10, **keys}
    experiment = Experiment(target=target, rule=rule, format=number_format, **asked)  # type: ignore[arg-type]
    record = run(experiment, out=tmp_path / "run")
    assert (record.result, record.compared) == ("pass", 40)
    assert record.format == number_format
    assert f" in {number_format} on digits" in verdict(record)


def test_checkpoints_and_weights_of_integers_come_back(
    tmp_path: Path, qemu64: str
) -> None:
    saved = tmp_path / "w.npz"
    asked = Experiment(
        target="qemu-rv64gc", network="64-19-10", format="i8", steps=40, test=0,
        commit=10, faults="cut=0.05,seed=3", save=str(saved),
    )  # fmt: skip
    record = run(asked, out=tmp_path / "run")
    assert record.result == "pass"
    again = Experiment(
        target="host", network="64-19-10", format="i8", steps=5, test=0, init=str(saved)
    )
    assert run(again, out=tmp_path / "again").result == "pass"


def test_a_board_without_float32_takes_i16_by_itself_and_says_so(
    tmp_path: Path, qemu_arm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from hil.cli import main

    given = "run --target microbit --network 64-24-10 --steps 20 --test 5 --out"
    assert main([*given.split(), str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "in i16 (target microbit computes no float32), " in said
    assert "tanh/sigmoid in i16 on digits" in said


PROGRAM = """
#include "net.h"
static net_t net;
int main(void)
{
    static const float rates[] = {0.0f, 1.0f, 0.03f, 1e30f, -1.0f, 1e-30f};
    net_sample_t sample[NET_INPUTS];
    float loss;
    uint32_t word = 1;
    net_init(&net, 1);
    for (int step = 0; step < 3000; step++) {
        if (step % 500 == 250) { /* weights at their limits, whatever came before */
            for (size_t i = 0; i < sizeof net.state; i++) {
                ((unsigned char *)&net.state)[i] = 0x7f;
            }
        }
        for (int i = 0; i < NET_INPUTS; i++) {
            word = word * 1664525u + 1013904223u;
            sample[i] = (net_sample_t)(step % 3 == 0 ? 0x80808080u : word >> 13);
        }
        if (net_step(&net, sample, word % NET_OUTPUTS, rates[step % 6], &loss) != NET_OK) {
            return 2;
        }
    }
    return net_digest(&net) == 0;
}
"""


@pytest.mark.parametrize("rule", ["dfa", "bp", "local", "drtp"])
@pytest.mark.parametrize("number_format", ["i16", "i8"])
def test_nothing_is_undefined_whatever_state_and_rate_are(
    tmp_path: Path, host_cc: str, rule: str, number_format: str
) -> None:
    spec = Spec(
        Network((33, 21, 17, 5)), RuleChoice(rule), Inputs("i16", 1000.0),
        format=number_format,
    )  # fmt: skip
    files = render(plan(spec, targets.load("host"))).files
    for name, text in files.items():
        if name.startswith("generated/"):
            (tmp_path / Path(name).name).write_text(text)
    (tmp_path / "main.c").write_text(PROGRAM)
    sources = [tmp_path / "main.c", tmp_path / "net.c"]
    made = tmp_path / "program"
    checked = "-fsanitize=address,undefined -fno-sanitize-recover=all -DHIL_DEBUG"
    subprocess.run(
        [host_cc, "-std=c11", "-O1", "-ffp-contract=off", "-fno-strict-aliasing",
         *checked.split(), f"-I{tmp_path}", *map(str, sources), "-o", str(made), "-lm"],
        check=True, timeout=120,
    )  # fmt: skip
    subprocess.run([str(made)], check=True, timeout=60)
