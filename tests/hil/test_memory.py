"""hil memory: what it counts, what it models, and what it does without."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import targets
from codegen import rules
from codegen.planning.fitting import STACK_LEAST
from hil.cli import main
from hil.errors import OverBudget
from hil.experiment import Experiment
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare
from hil.measuring.memory import answer, growth, report, rows
from hil.measuring.memory.rows import INFERENCE, compare

SMALL = ("--network", "64-32-10")
LESSON = prepare(Experiment(network="64-32-10"))
Only = Callable[..., None]


@pytest.fixture(params=["these", pytest.param("all", marks=pytest.mark.full)])
def only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Only:
    """Leaves of all the rules these, where each further one is the same again: a plan,
    an image and a boot. Every night all of them stay."""
    if request.param == "all":
        return lambda *names: None
    return lambda *names: monkeypatch.setattr(rules, "names", lambda: sorted(names))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `hil memory --json` gives of all rules."""
    return document(tmp_path_factory.mktemp("memory"), *SMALL)


def document(tmp_path: Path, *flags: str) -> dict[str, Any]:
    """What `hil memory --json` gives."""
    path = tmp_path / "memory.json"
    assert main(["memory", *flags, "--json", str(path)]) == 0
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_inference_and_every_rule_have_their_bytes(everything: dict[str, Any]) -> None:
    found = everything
    assert [row["rule"] for row in found["rules"]] == [INFERENCE, *rules.names()]
    inference = found["rules"][0]
    assert inference["tape"] == 0
    assert inference["ratio"] == 1
    for row in found["rules"]:
        if row["error"] is not None:
            continue
        for key in ("const", "state", "scratch", "tape", "stack_bound", "code"):
            assert isinstance(row[key], int), (row["rule"], key)
        own = rules.declaration(row["rule"]).format if row["rule"] != INFERENCE else ""
        assert own or row["state"] >= 4 * (64 * 32 + 32 + 32 * 10 + 10)
        assert row["state"] == sum(layer["state"] for layer in row["layers"])
        # a rule of spikes has an inference of its own
        most = row["code"] if own else min(row["code"], inference["code"])
        assert row["code_shared"] <= most, row["rule"]
        # inference lists what is not zero; these want the whole input, and no list
        if row["rule"] not in ("fg-weight", "ottt", "stdp-wta"):
            assert row["scratch"] >= inference["scratch"]


def test_a_rules_figures_are_its_plans_and_its_images(only: Only) -> None:
    only("bp", "dfa")
    (row,) = (row for row in compare(LESSON) if row.rule == "dfa")
    planned = plan_for(LESSON)
    assert row.network is not None and row.whole is not None
    assert row.network.state == sum(4 * t.words for t in planned.state)
    assert row.network.scratch == 4 * planned.arena.words + 40  # 320 signs
    assert row.network.tape == planned.tape == 4 * 32
    assert row.whole.ram == build(planned).image.ram


def test_the_first_line_is_the_answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, only: Only
) -> None:
    only("dfa")
    planned = plan_for(LESSON)
    found = document(tmp_path, *SMALL)
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first == f"fits: {planned.ram:,} of 14,680,064 bytes of RAM"
    assert second == ""
    assert (found["fit"]["fits"], found["fit"]["needs"]) == (True, planned.ram)
    assert found["growth"] is None


def test_what_does_not_fit_says_so_first_and_ends_with_3(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "memory.json"
    asked = ("--target", "netduinoplus2", "--network", "784-128-10")
    assert main(["memory", *asked, "--json", str(path)]) == OverBudget.exit_code
    told = capsys.readouterr()
    found = json.loads(path.read_text())["fit"]
    assert told.out.splitlines()[0] == (
        f"does not fit: needs at least {found['needs']:,} of 131,072 bytes of RAM, the "
        "largest item is W1, 401,408 bytes"
    )
    assert (found["fits"], found["least"], found["limit"]) == (False, True, 131_072)
    assert "needs at least" in told.err


def test_a_target_without_a_limit_always_fits(host_cc: str, only: Only) -> None:
    only("bp", "dfa")
    (row,) = (
        row
        for row in compare(prepare(Experiment(network="64-10", target="host")))
        if row.rule == "dfa"
    )
    fit = answer.fit_of(row)
    assert fit is not None and fit.fits and fit.limit is None
    told = answer.sentence(fit, targets.load("host"), 1)
    assert told.endswith("bytes of RAM, and target host sets no limit")


def test_no_data_set_is_needed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, only: Only
) -> None:
    """Unless one is named, by a flag or in the file: then it must fit."""
    only("dfa")
    wide = ("--network", "33-4-10")
    found = document(tmp_path, *wide)
    assert found["network"] == [33, 4, 10]
    assert "u8 samples without zeros" in capsys.readouterr().out
    assert main(["memory", *wide, "--data", "digits"]) == 2
    named = tmp_path / "named.toml"
    named.write_text("data = 'digits'\nnetwork = '33-4-10'\n")
    assert main(["memory", str(named)]) == 2
    assert "takes 33 inputs, but data 'digits' has 64" in capsys.readouterr().err
    document(tmp_path, *SMALL)
    assert "u8 samples, on" in capsys.readouterr().out


def test_nothing_runs_and_no_emulator_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only: Only
) -> None:
    only("bp", "dfa")
    monkeypatch.setenv("PATH", "")
    assert document(tmp_path, *SMALL)["rules"][0]["stack_bound"] is not None


@pytest.mark.parametrize(("target", "others"), [("microbit", "i16"), ("host", "f32")])
def test_beside_a_rule_of_whole_numbers_others_have_what_the_target_computes(
    target: str, others: str
) -> None:
    own = prepare(
        Experiment(rule="stdp-wta", network="64-24-10", target=target, steps=9)
    )
    beside = rows.lesson_for(own, "dfa").spec
    assert (beside.format, beside.network.activation) == (others, "tanh")


def test_a_rule_beside_hears_the_same_spikes_in_time() -> None:
    said = {"encoding": "events", "ticks": 4}
    own = prepare(Experiment(rule="ottt", network="64-24-10", parameters=said, steps=9))
    beside = rows.lesson_for(own, "stdp-wta")
    assert beside.spec.rule.parameters == beside.experiment.parameters == said
    assert plan_for(beside).spec.inputs == own.spec.inputs


def test_inference_needs_no_list_longer_than_its_layer() -> None:
    """A list of inputs is kept to the update; inference alone forgets it."""
    made = plan_for(prepare(Experiment(network="64-500-500-10", schedule="sequential")))
    alone = rows.inference(made)
    assert made.layer(1).listed
    assert alone.scratch == 4 * max(64 * 3 + 500, 2 * 500)


def test_a_rule_that_does_not_fit_is_a_row_with_its_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, only: Only
) -> None:
    smaller, larger = "readout", "local"
    only(smaller, larger)
    assert LESSON.target.memory is not None
    needs = plan_for(rows.lesson_for(LESSON, larger)).ram
    least = needs - LESSON.target.memory.stack + STACK_LEAST
    budget = ("--ram", str(least - 1))
    found = document(tmp_path, *SMALL, "--rule", smaller, *budget)
    (row,) = (row for row in found["rules"] if row["rule"] == larger)
    assert "256 of them for its stack, but the budget has" in row["error"]
    assert (row["state"], row["layers"], row["image"]) == (None, [], None)
    out = " ".join(capsys.readouterr().out.split())
    assert f"{larger} not here: network 64-32-10 with rule {larger} needs" in out
    assert main(["memory", *SMALL, "--rule", larger, *budget]) == 3


def test_over_budget_is_refused_before_compiling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    experiment = tmp_path / "tight.toml"
    experiment.write_text("network = '64-500-10'\n[budget]\nram = '32 KiB'\n")
    for verb in ("memory", "build", "run"):
        assert main([verb, str(experiment)]) == OverBudget.exit_code == 3
        assert "largest: W1 128,000 bytes" in capsys.readouterr().err
    assert not (tmp_path / "images").exists()


@pytest.mark.parametrize(
    ("values", "degree"),
    [
        ([7, 7, 7, 7], 0),
        ([1000, 1000, 1001, 1000], 0),
        ([1, 2, 3, 4], 1),
        ([100, 205, 309, 414], 1),
        ([n * n + 5 for n in range(4)], 2),
        ([n**3 for n in range(4)], 3),
        ([0, 0, 0, 0], 0),
    ],
)
def test_an_order_is_read_off_differences(values: list[int], degree: int) -> None:
    assert growth.degree(values) == degree


def test_the_orders_of_growth_are_those_of_the_plans(only: Only) -> None:
    only("bp", "dfa", "fa")
    stored = Experiment(
        network="64-32-10", rule="dfa", parameters={"feedback": "uniform"}
    )
    found = {g.rule: g.orders for g in growth.growths(prepare(stored))}
    assert found[INFERENCE] == {
        "const": "0", "state": "L n²", "scratch": "n", "tape": "0",
    }  # fmt: skip
    assert (found["bp"]["scratch"], found["bp"]["tape"]) == ("L n", "L n")
    assert found["dfa"]["const"] == "L n", "a stored feedback matrix a layer"
    assert found["fa"]["scratch"] == "L n + n²", "the signs of one matrix at a time"


MADE_UP = """\
from codegen.errors import SpecError
from codegen.forms import at_the_end
from codegen.parameters import Parameter
from codegen.program import Set, Stage
from codegen.rules import Declaration, Rate


def program(c):
    if c.parameters["refuses"]:
        raise SpecError("rule made-up takes no network but a rounder one")
    directions = c.tensor("v", (int(c.parameters["k"]), c.network.layers[1]))
    used = Stage("look", (Set("(void)v", "", (directions,)),))
    return at_the_end(c, lambda c, n: (), first=(used,))


RULE = Declaration(
    "made-up", "for a test", "nobody", "none",
    (Parameter("k", 1, "directions"), Parameter("refuses", REFUSES.0, "or not")),
    lambda activation, parameters: Rate(0.1, 0.1), program,
)
"""


@pytest.fixture
def made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[int], None]]:
    """Puts one more rule beside the others, that refuses every network or not."""
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])

    def put(refuses: int) -> None:
        text = MADE_UP.replace("REFUSES", str(refuses))
        (tmp_path / "made_up.py").write_text(text)

    yield put
    sys.modules.pop("codegen.rules.made_up", None)


def test_growth_in_k_is_counted_where_a_rule_has_a_k(
    made_up: Callable[[int], None], only: Only
) -> None:
    made_up(0)
    only("bp", "dfa", "made-up")
    found = {g.rule: g.k for g in growth.growths(LESSON)}
    assert found["made-up"] == {"const": "0", "state": "1", "scratch": "K", "tape": "1"}
    assert found["bp"] is None


def test_a_rule_that_refuses_the_network_is_a_row_with_its_reason(
    made_up: Callable[[int], None], only: Only
) -> None:
    made_up(1)
    only("dfa", "made-up")
    found = list(compare(LESSON))
    (row,) = (row for row in found if row.rule == "made-up")
    assert "no network but a rounder one" in str(row.refused)
    assert any(
        "made-up  not here: rule made-up" in line for line in report.table(found)
    )
    assert "made-up" not in {g.rule for g in growth.growths(LESSON)}


def test_the_batch_is_modelled_and_says_so(everything: dict[str, Any]) -> None:
    found = everything
    assert found["provenance"]["rules.batch"] == "modelled"
    assert found["provenance"]["rules"] == "counted"
    for row in found["rules"]:
        assert row["batch"].get("32", 0) == 32 * (row["tape"] or 0)
    net = rows.learning(plan_for(LESSON))
    least = growth.batch_that_matters(net)
    assert least is not None
    assert growth.batch(net, least) >= net.state / 10 > growth.batch(net, least - 1)


def test_measured_stacks_stand_beside_their_bounds(
    tmp_path: Path, qemu64: str, only: Only
) -> None:
    only("bp", "dfa", "fg-activity")
    found = document(tmp_path, *SMALL, "--measure")
    assert found["provenance"]["rules.watermark"] == "emulated"
    for row in found["rules"][1:]:
        if row["error"] is None:
            assert 0 < row["watermark"] <= row["image"]["stack_bound"]


def test_it_is_read_in_a_terminal_of_a_hundred_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, only: Only
) -> None:
    deep = "-".join(["64", *["256"] * 8, "10"])
    only("bp", "dfa", "eqprop", "slda")
    assert main(["memory", "--network", deep]) == 0
    monkeypatch.undo()
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert "1,919,016" in out
    for words in ("x inf.", "largest"):
        assert words in out
    assert "O(L n²)" not in out and "modelled" not in out
    assert main(["memory", *SMALL, "--growth"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert "O(L n²)" in out and "modelled" in out


def test_a_document_gets_the_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", *SMALL, "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| 64-32-10 tanh/sigmoid, u8 samples, on qemu-rv64gcv")
    assert len({line.count("|") for line in lines}) == 1
    deep = [n for n in rules.names() if rules.declaration(n).most != 1]
    assert len(lines) >= 2 + 1 + len(deep)


def test_where_nothing_tells_the_calls_there_is_no_bound(
    host_cc: str, only: Only
) -> None:
    """zig writes no call graph of a native program: no figure, and no guess."""
    only("bp", "dfa")
    lesson = prepare(Experiment(network="64-32-10", target="host", toolchain="zig"))
    found = list(compare(lesson))
    assert all(row.code is None and row.whole is None for row in found)
    assert any("-" in line for line in report.table(found))
    gcc = replace(lesson, experiment=replace(lesson.experiment, toolchain="gcc"))
    assert all(row.code is not None for row in compare(gcc) if row.refused is None)


def test_each_format_has_its_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(tmp_path, *SMALL, "--formats")
    f32, i16, i8 = found["formats"]
    assert [one["format"] for one in found["formats"]] == ["f32", "i16", "i8"]
    assert f32["state"] == 2 * i16["state"] == 4 * (64 * 32 + 32 + 32 * 10 + 10)
    assert i16["state"] == 2 * (i8["state"] - 2)  # b2 has ten bytes, and two of padding
    for one, name in zip(found["formats"], ("f32", "i16", "i8"), strict=True):
        lesson = prepare(Experiment(network="64-32-10", format=name))
        assert one["image"] == plan_for(lesson).ram
        assert one["ram"] == one["state"] + one["scratch"] + one["stack"]
    capsys.readouterr()
    assert main(["memory", *SMALL, "--formats", "--markdown"]) == 0
    assert f"| i8 | {i8['state']:,} | " in capsys.readouterr().out
    assert main(["memory", *SMALL, "--formats", "--growth"]) == 2


def test_a_format_that_a_target_has_not_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["memory", *SMALL, "--formats", "--target", "microbit"]) == 0
    said = capsys.readouterr().out
    assert "f32  not here: target 'microbit' has no hardware binary32" in said
    assert "\ni16  " in said
