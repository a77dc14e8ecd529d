"""Scalers: their constants are scikit-learn's, they come from the training part alone,
and they stay with the image in whatever is made of it."""

from __future__ import annotations

import json
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import hil
from codegen.planning.checkpoint import identity
from codegen.reference.fronts import scaler as front
from codegen.scaler import Scaler
from codegen.spec import Inputs, Network, Spec
from hil import Experiment, OpenDevice, run
from hil.cli import main
from hil.data import datasets, scalers, summary
from hil.data.taken import as_arrays, dataset_of
from hil.errors import DataError, HilError, UsageError
from hil.experiment import load
from hil.lesson.preparing import prepare
from hil.sklearn import DeviceClassifier, DeviceRegressor

WINE = load_wine()
RAW = WINE.data.astype(np.float32)
WANTED = {"standard": StandardScaler, "minmax": MinMaxScaler}
ON_HOST = pytest.mark.usefixtures("host_cc")


def wine(tmp_path: Path, **more: Any) -> str:
    """The wines as a table of a name a column, with some columns besides."""
    columns = dict(zip(WINE.feature_names, WINE.data.T, strict=True)) | more
    rows = zip(*columns.values(), WINE.target, strict=True)
    lines = [",".join(map(str, row)) for row in rows]
    path = tmp_path / "wine.csv"
    path.write_text("\n".join([",".join([*columns, "class"]), *lines]) + "\n")
    return str(path)


# -- against scikit-learn


@pytest.mark.parametrize("kind", WANTED)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_x_is_what_scikit_learn_computes(kind: str, dtype: Any) -> None:
    """Within the bound of docs/arithmetic.md, section 4."""
    rng = np.random.default_rng(3)
    drawn = rng.normal(100, 30, (400, 9)) * np.geomspace(1e-3, 300, 9)
    info = None if dtype == np.float32 else np.iinfo(dtype)
    x = drawn if info is None else np.clip(drawn, info.min, info.max)
    x = x.astype(dtype)
    made = scalers.constants(x, kind)
    kinds = {np.uint8: "u8", np.int16: "i16", np.float32: "f32"}
    got = front.network_input(Inputs(kinds[dtype], 1.0, scaler=made), x)
    want = WANTED[kind]().fit_transform(x.astype(np.float64))
    offsets, divisors = np.array(list(made.constants())).reshape(2, -1)
    bound = 2.0**-24 * (np.abs(offsets) / divisors + 3 * np.abs(want)) * (1 + 1e-6)
    assert (np.abs(got - want) <= bound).all()


def test_what_never_changes_is_divided_by_one_as_in_scikit_learn() -> None:
    x = np.float32([[0.1, 5, 1], [0.1, 5, 3]])
    for kind, wanted in WANTED.items():
        made = scalers.constants(x, kind)
        assert made.divisors[:2] == (1.0, 1.0)
        got = front.network_input(Inputs("f32", 1.0, scaler=made), x)
        assert got.tolist() == wanted().fit_transform(x).tolist()


def test_integers_are_summed_exactly() -> None:
    """Where sums of binary64 would have lost the last bits."""
    x = np.repeat(np.int16([[32767], [32766]]), 70000, axis=0)
    made = scalers.constants(x, "standard")
    assert (made.offsets, made.divisors) == ((32766.5,), (0.5,))


# -- where constants come from


def test_constants_are_of_the_training_part_alone(tmp_path: Path) -> None:
    asked = Experiment(data=wine(tmp_path), scaler="standard")
    data, held = (
        prepare(asked).dataset,
        prepare(asked.override({"holdout": 40})).dataset,
    )
    for found in (data, held):
        assert found.inputs.scaler is not None
        mean = found.train_x.astype(np.float64).mean(axis=0)
        assert np.allclose(found.inputs.scaler.offsets, mean, rtol=1e-6)
    assert data.inputs != held.inputs
    assert data.said[-1] == (
        "scaler standard: each number has mean 0 and deviation 1 over 142 training samples"
    )


def test_a_number_that_never_changes_is_said(tmp_path: Path) -> None:
    path = wine(tmp_path, serial=np.full(178, 7))
    assert prepare(Experiment(data=path, scaler="minmax")).dataset.said[-1].endswith(
        "; the same in all of them, and divided by 1: serial"
    )  # fmt: skip


def test_constants_of_ones_own_come_with_the_data(tmp_path: Path) -> None:
    fitted = StandardScaler().fit(RAW)
    path = tmp_path / "mine.npz"
    np.savez(path, x=RAW, y=WINE.target, offset=fitted.mean_, divisor=fitted.scale_)
    found = datasets.load(str(path))
    assert found.inputs.scaler == Scaler(
        tuple(np.float32(fitted.mean_).tolist()),
        tuple(np.float32(fitted.scale_).tolist()),
    )
    again = dataset_of(**as_arrays(found))
    assert again.inputs == found.inputs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"divisor": None}, "has an array 'offset', but none 'divisor'"),
        ({"scale": 2.0}, "has a scale, and offset and divisor"),
        ({"offset": np.zeros(12)}, "offsets and 13 divisors: expected one of each"),
        ({"divisor": np.zeros(13)}, "divisor 0 of a scaler is 0.0: expected"),
        ({"offset": np.full(13, np.nan)}, "offset is float64 .*, expected finite"),
        ({"x": RAW[:, :9]}, "offset has 13 numbers, but a sample of x has 9"),
        ({"x": RAW.astype(np.int16), "divisor": np.full(13, 2.0**-30)}, "divisor 0 of a scaler is 9.3.*e-10"),
    ],
)  # fmt: skip
def test_wrong_constants_are_named(change: dict[str, Any], said: str) -> None:
    given = {"x": RAW, "y": WINE.target, "offset": np.zeros(13), "divisor": np.ones(13)}
    with pytest.raises(DataError, match=said):
        dataset_of(**{k: v for k, v in {**given, **change}.items() if v is not None})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"offset": np.zeros(13), "divisor": np.ones(13)}, "have offset and divisor"),
        ({"x": np.float32([[1, 3e38], [2, -3e38]])[[0, 1] * 89]}, "cannot be scaled"),
    ],
)
def test_what_cannot_be_scaled_is_refused(data: dict[str, Any], said: str) -> None:
    given = {"x": RAW, "y": WINE.target, **data}
    with pytest.raises(DataError, match=said):
        prepare(Experiment(data=given, scaler="standard"))


def test_windows_are_scaled_already(tmp_path: Path) -> None:
    x = np.arange(160, dtype=np.int16).reshape(10, 16)
    made = hil.windows.arrays(hil.windows.standardised(x, 8, 2))
    np.savez(tmp_path / "w.npz", x=x, y=np.arange(10) % 2, **made)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="are windows, whose features are standardised"):
        prepare(Experiment(data=str(tmp_path / "w.npz"), scaler="standard"))


# -- what it is good for


def test_features_of_very_different_ranges_need_it(
    tmp_path: Path, host_cc: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of docs/data.md, from a table of wines as it is."""
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    asked = Experiment(
        data=wine(tmp_path), network="13-16-3", epochs=20, target="host", compare=100
    )
    reached = []
    for kind in (None, "minmax", "standard"):
        record = run(asked.override({"scaler": kind}), out=tmp_path / "runs")
        assert record.result == "pass"
        reached.append(record.accuracy["test"])
        assert f"| {kind or 'none'} | {reached[-1]:.2%} |" in page
    assert reached[0] < 0.5 and min(reached[1:]) > 0.95
    assert main(["data", str(asked.data)]) == 0
    assert (
        "advice   inputs reach 1680, 10 is much already: hil run --scaler standard"
        in (capsys.readouterr().out)
    )
    assert main(["data", str(asked.data), "--scaler", "standard"]) == 0
    told = capsys.readouterr().out
    assert "inputs   scaled f32: -3.8" in told and "advice" not in told


def test_a_number_far_larger_than_most_has_advice() -> None:
    x = np.random.default_rng(1).integers(0, 9, (60, 5))
    x[:, 2] *= 1000
    found = summary.of(dataset_of(x, np.arange(60) % 2))
    assert "--scaler standard" in found.advice[0]
    assert not summary.of(datasets.load("digits")).advice


# -- it stays with the image


def test_a_state_belongs_to_its_scaler() -> None:
    def spec(scaler: Scaler | None) -> Spec:
        return Spec(Network((2, 3)), inputs=Inputs("f32", 1.0, scaler=scaler))

    made = {identity(spec(s)) for s in (None, Scaler((0.0,) * 2, (1.0,) * 2),
                                        Scaler((0.0,) * 2, (1.0, 2.0)))}  # fmt: skip
    assert len(made) == 3


@ON_HOST
def test_a_run_that_was_cut_goes_on_with_its_scaler(tmp_path: Path) -> None:
    asked = Experiment(
        data=(RAW, WINE.target), scaler="standard", network="13-7-3", target="host",
        steps=40, test=20, commit=10, holdout=30,
    )  # fmt: skip
    whole = run(asked, out=tmp_path)
    cut = run(asked.override({"faults": "cut=0.05,seed=4"}), out=tmp_path)
    assert (cut.result, cut.digest) == ("pass", whole.digest)
    told = json.loads((whole.folder / "run.json").read_text())
    assert told["experiment"]["scaler"] == "standard"
    assert main(["replay", str(whole.folder)]) == 0


@ON_HOST
@pytest.mark.parametrize("how", ["data", "constants"])
def test_an_open_device_takes_raw_readings(
    tmp_path: Path, folder: Path, how: str
) -> None:
    """And is found again in its folder, with the constants that it had."""
    keys: dict[str, Any] = {"target": "host", "network": "13-7-3", "out": folder}
    keys["flash"] = str(tmp_path / "learned.bin")
    if how == "data":
        keys |= {"data": (RAW, WINE.target), "scaler": "standard"}
        made = prepare(
            Experiment(**{k: keys[k] for k in ("data", "scaler")})
        ).spec.inputs
    else:
        fitted = StandardScaler().fit(RAW)
        keys |= {"offset": fitted.mean_, "divisor": fitted.scale_}
        made = dataset_of(
            RAW, WINE.target, offset=fitted.mean_, divisor=fitted.scale_
        ).inputs
    with hil.open(**keys) as device:
        device.partial_fit(RAW[::3], WINE.target[::3])
        device.commit()
        known = device.predict(RAW[50:60])
    assert device.record.result == "pass"
    assert prepare(load(device.record.folder / "experiment.toml")).spec.inputs == made
    with hil.open(device.record.folder, out=folder) as again:
        assert np.array_equal(again.predict(RAW[50:60]), known)


def test_a_scaler_needs_data(opens: Callable[..., OpenDevice]) -> None:
    with pytest.raises(UsageError, match="there are no data to compute it from"):
        opens(scaler="standard")
    with pytest.raises(DataError, match="'offset', but none 'divisor'"):
        opens(scale=None, offset=np.zeros(64))


@ON_HOST
def test_an_estimator_scales_on_the_device(folder: Path) -> None:
    keys = {"hidden": (8,), "epochs": 8, "out": str(folder), "scaler": "standard"}
    learner = DeviceClassifier(**keys).fit(RAW, WINE.target)
    assert learner.score(RAW, WINE.target) > 0.95
    assert np.allclose(learner.offset_, StandardScaler().fit(RAW).mean_)
    again = pickle.loads(pickle.dumps(learner))
    assert np.array_equal(again.predict(RAW), learner.predict(RAW))
    later = DeviceClassifier(**keys).partial_fit(RAW, WINE.target, classes=[0, 1, 2])
    assert np.array_equal(later.divisor_, learner.divisor_)
    numbers = DeviceRegressor(**keys, rule="bp", lr=0.01).partial_fit(RAW, RAW[:, 0])
    assert np.array_equal(numbers.offset_, learner.offset_)


def test_a_certificate_holds_for_raw_readings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("certify", "--data", wine(tmp_path), "--scaler", "standard", "--network")
    limits = ("13-7-3", "--clip-weights", "1", "--clip-error", "1")
    assert main([*given, *limits, "--inputs", "0", "1700"]) == 0
    told = capsys.readouterr().out
    assert "scaled f32 samples" in told and "scaler" in told


@ON_HOST
@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_an_exported_package_has_it(tmp_path: Path, dtype: Any) -> None:
    """Its example ends with an error unless it computes numpy's digest."""
    np.savez(tmp_path / "w.npz", x=RAW.clip(0, 250).astype(dtype), y=WINE.target)
    out = tmp_path / "made"
    given = ("build", "--package", "make", "--data", str(tmp_path / "w.npz"))
    more = ("--scaler", "standard", "--network", "13-3", "--out", str(out))
    assert main([*given, *more]) == 0
    done = subprocess.run(["make", "check"], cwd=out, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--scaler", "robust"]) == 2
    assert (
        "scaler is 'robust': expected one of standard, minmax"
        in capsys.readouterr().err
    )
    with pytest.raises(HilError, match="scaler is 3"):
        Experiment(scaler=3)  # type: ignore[arg-type]
