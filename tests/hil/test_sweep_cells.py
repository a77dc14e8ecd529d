"""Sweep files and axes: which cells they mean, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.errors import HilError, UsageError
from hil.sweep.cells import Axes, axes_of, cells, laid_over, load, vary
from hil.sweep.summary import Row, Spread, best, fixed, varied

ROOT = Path(__file__).parents[2]


def loaded(folder: Path, text: str) -> list[Axes]:
    path = folder / "sweep.toml"
    path.write_text(text)
    return load(path)


def test_a_table_is_a_product_and_tables_follow_one_another(tmp_path: Path) -> None:
    tables = loaded(
        tmp_path,
        """
        target = "host"
        seed = [1, 2]
        [[experiment]]
        rule = ["bp", "dfa"]
        network = [64, 9, 10]
        [[experiment]]
        network = [[64, 10], "64-8-10"]
        seed = 7
        [experiment.parameters]
        feedback = ["signs", "uniform"]
        """,
    )
    found = [cell.experiment for cell in cells(tables)]
    assert [(e.rule, e.network, dict(e.parameters), e.seed) for e in found] == [
        ("bp", (64, 9, 10), {}, 1),
        ("bp", (64, 9, 10), {}, 2),
        ("dfa", (64, 9, 10), {}, 1),
        ("dfa", (64, 9, 10), {}, 2),
        ("dfa", (64, 10), {"feedback": "signs"}, 7),
        ("dfa", (64, 10), {"feedback": "uniform"}, 7),
        ("dfa", (64, 8, 10), {"feedback": "signs"}, 7),
        ("dfa", (64, 8, 10), {"feedback": "uniform"}, 7),
    ]
    assert all(experiment.target == "host" for experiment in found)


def test_a_cell_that_comes_twice_is_one() -> None:
    one = axes_of({"rule": ["bp", "dfa"], "seed": [1, 2]})
    found = cells([one, axes_of({"rule": "bp", "seed": [2, 3]})])
    asked = [(cell.experiment.rule, cell.experiment.seed) for cell in found]
    assert asked == [("bp", 1), ("bp", 2), ("dfa", 1), ("dfa", 2), ("bp", 3)]


def test_a_front_with_a_point_in_its_options_is_no_path(tmp_path: Path) -> None:
    axis = ["echo,leak=0.5", "models/of.tflite"]
    found = cells(loaded(tmp_path, f"front = {axis}\n"))
    fronts = [cell.experiment.front for cell in found]
    assert fronts == ["echo,leak=0.5", str(tmp_path / "models/of.tflite")]


def test_an_experiment_file_is_a_sweep_of_one(tmp_path: Path) -> None:
    (cell,) = cells(loaded(tmp_path, 'rule = "bp"\nnetwork = [64, 10]\n'))
    assert cell.experiment.rule == "bp" and cell.experiment.network == (64, 10)


def test_paths_of_a_sweep_file_start_at_its_folder(tmp_path: Path) -> None:
    (axes,) = loaded(tmp_path, 'data = ["digits", "own.npz"]\n')
    assert list(axes["data"]) == ["digits", str(tmp_path / "own.npz")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('rul = "bp"', "has an unknown key 'rul'"),
        (
            '[[experiment]]\nsede = [1]\nrule = "bp"',
            "table 1 has an unknown key 'sede'",
        ),
        ("seed = []", "seed has no value: expected at least one"),
        ('seed = [1, "2"]', "seed is '2': expected an integer"),
        ("experiment = []", "has no table in experiment"),
        ("[experiment]\nseed = 1", "expected [[experiment]] tables"),
        ("seed = ", "is no TOML"),
        ("parameters = 3", "parameters is 3: expected a table"),
        ("[parameters]\nk = []", "parameters.k is []: expected plain values"),
        ('rule = ["bp", "dfb"]', "unknown rule 'dfb'"),
        ('target = "hots"', "unknown target 'hots'"),
        ("[parameters]\nk = 3", "has no parameter 'k'"),
        ("steps = 3\nepochs = 4", "expected one of them"),
    ],
)
def test_a_sweep_file_is_read_strictly(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(HilError) as caught:
        cells(loaded(tmp_path, text))
    assert sentence in str(caught.value) and caught.value.exit_code == 2


def test_a_missing_sweep_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"sweep 'absent.toml' cannot be read"):
        load("absent.toml")


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("rule=bp,dfa", "rule", ["bp", "dfa"]),
        ("seed=1-5", "seed", [1, 2, 3, 4, 5]),
        ("seed=1-2,9", "seed", [1, 2, 9]),
        ("lr=0.01,3e-2", "lr", [0.01, 0.03]),
        ("network=64-9-10,64-10", "network", [(64, 9, 10), (64, 10)]),
        ("lr-decay=0.5", "lr_decay", [0.5]),
        ("agnostic=true,false", "agnostic", [True, False]),
        ("resident=all,7", "resident", ["all", 7]),
        ("feedback=signs,uniform", "parameters.feedback", ["signs", "uniform"]),
        ("parameters.feedback_scale=0.25,1", "parameters.feedback_scale", [0.25, 1]),
    ],
)
def test_an_axis_is_a_key_or_a_parameter(
    text: str, name: str, values: list[object]
) -> None:
    assert {key: list(given) for key, given in vary(text).items()} == {name: values}


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("sed=1", "--vary names 'sed'", "did you mean 'seed'?"),
        ("feedbak=signs", "--vary names 'feedbak'", "did you mean 'feedback'?"),
        ("parameters=1", "--vary names 'parameters'", ""),
        ("seed", "expected NAME=VALUE,VALUE", "for instance"),
        ("seed=1,,2", "expected NAME=VALUE,VALUE", "for instance"),
        ("seed=5-1", "expected a rising range", ""),
        ("seed=x", "--vary: seed is 'x': expected an integer", ""),
    ],
)
def test_a_wrong_axis_is_named(text: str, sentence: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        vary(text)
    assert sentence in str(caught.value)
    assert not hint or any(hint in each for each in caught.value.hints)


def test_flags_lie_over_files_and_steps_replace_epochs() -> None:
    base = axes_of({"epochs": [1, 2], "seed": [1, 2]})
    made = laid_over(base, axes_of({"steps": 30, "seed": 4}))
    assert {key: list(given) for key, given in made.items()} == {
        "seed": [4],
        "steps": [30],
    }


def test_columns_are_what_varies_and_the_rest_is_said_once() -> None:
    found = cells([axes_of({"rule": ["bp", "dfa"], "seed": [1, 2], "steps": 9})])
    assert varied(found) == ["rule"] and fixed(found) == {"steps": 9}
    assert varied(found[:1]) == ["data", "network", "rule"]


def test_a_column_of_how_much_is_compared_is_shown_only_where_it_matters() -> None:
    tables = [
        axes_of({"rule": "bp", "prefix": 9}),
        axes_of({"rule": "dfa", "prefix": 5}),
    ]
    assert varied(cells(tables)) == ["rule"] and fixed(cells(tables)) == {}
    assert varied(cells([axes_of({"prefix": [5, 9]})])) == ["prefix"]


def row(lr: float, mean: float, missing: int = 0, rule: str = "bp") -> Row:
    spread = Spread(mean, 0.0, mean, mean)
    settings = {"rule": rule, "lr": lr}
    return Row(settings, (1,), 1, missing, spread, spread, "holdout", "emulated")


def test_the_best_value_is_the_smaller_of_equals_and_never_one_with_gaps() -> None:
    rows = [row(0.1, 0.9), row(0.03, 0.9), row(0.3, 0.99, missing=1), row(0.01, 0.8)]
    rows += [row(0.3, 0.7, rule="dfa"), row(0.1, 0.6, rule="dfa")]
    found = [(one.settings, one.value) for one in best(rows, "lr")]
    assert found == [({"rule": "bp"}, 0.03), ({"rule": "dfa"}, 0.3)]


@pytest.mark.parametrize(
    ("name", "seeds"), [("accuracy", {1, 2, 3, 4, 5}), ("learning-rates", {1, 2, 3})]
)
def test_the_committed_sweeps_mean_what_they_say(name: str, seeds: set[int]) -> None:
    found = [cell.experiment for cell in cells(load(ROOT / f"examples/{name}.toml"))]
    assert {one.seed for one in found} == seeds
    assert all(one.prefix and one.target == "host" for one in found)
    assert all((one.holdout is None) == (name == "accuracy") for one in found)
