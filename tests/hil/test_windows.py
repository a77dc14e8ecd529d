"""Windows of sensor readings: what a data file declares, and real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from codegen.reference.fronts.window import features
from codegen.window import Window
from hil.data import datasets, hapt, windows
from hil.errors import DataError
from hil.experiment import Experiment
from hil.lesson.preparing import prepare

ROWS, AXES = 8, 2
DECLARED = Window(ROWS, AXES, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), (0.5,) * 6)
GOOD = {
    "x": np.arange(10 * ROWS * AXES, dtype=np.int16).reshape(10, -1),
    "y": np.arange(10) % 3,
    **windows.arrays(DECLARED),
}


def test_a_data_file_of_windows_makes_a_network_of_features(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **GOOD)  # type: ignore[arg-type]
    data = datasets.load(str(path))
    assert data.inputs.window == DECLARED and data.inputs.scale == 1.0
    assert (data.features, data.train_x.shape) == (6, (8, 16))
    lesson = prepare(Experiment(data=str(path)))
    assert lesson.spec.network.layers == (6, 128, 3)
    assert lesson.spec.sample_bytes == 2 * ROWS * AXES


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"divisor": None}, "has an array 'window', but none 'divisor'"),
        ({"window": np.array([8, 2, 1])}, r"window is int64 \[3\], expected two integ"),
        ({"window": np.array([8.0, 2.0])}, r"window is float64 \[2\], expected two"),
        ({"window": np.array([1, 16])}, "has 1 rows: expected 2 to 512"),
        ({"window": np.array([4, 2])}, "x has 16 elements a sample, but .* has 8"),
        ({"window": np.array([4, 4])}, "4 axes has 6 offsets: expected 12, 3 an axis"),
        ({"offset": np.full(6, np.nan)}, "offset is float64 .*, expected finite"),
        ({"offset": np.full(6, 2e6)}, "offset 0 of a window is 2000000.0: expected"),
        ({"divisor": np.zeros(6)}, "divisor 0 of a window is 0.0: expected 2"),
        ({"scale": 2.0}, "has windows and a scale"),
        ({"x": GOOD["x"].astype(np.float32)}, "has windows and x of float32"),
    ],
)
def test_a_wrong_declaration_is_named(
    tmp_path: Path, change: dict[str, np.ndarray | None], sentence: str
) -> None:
    path = tmp_path / "bad.npz"
    arrays = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=sentence) as caught:
        datasets.load(str(path))
    assert str(path) in str(caught.value)


def test_constants_standardise_the_windows_they_were_made_of() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-3000, 9000, (200, 3, 2), np.int16)
    x[:, :, 1] = 7
    made = windows.standardised(x.reshape(200, -1), 3, 2)
    found = np.array([features(sample, made) for sample in x.reshape(200, -1)])
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=0), [1, 1, 1, 0, 0, 0], atol=1e-6)
    with pytest.raises(
        DataError, match="windows have 6 elements: expected 4 rows of 2"
    ):
        windows.standardised(x.reshape(200, -1), 4, 2)


@pytest.fixture(scope="module")
def real(hil_data: Path) -> hapt.Hapt:
    """HAPT, where it is."""
    if not (hil_data / "hapt").is_dir():
        pytest.skip("HIL_DATA has no hapt/ in it")
    return hapt.load()


def test_hapt_is_read_window_by_window(real: hapt.Hapt, hil_data: Path) -> None:
    """Against its own lines, read anew, and a part of the source as it was printed."""
    assert (real.windows.dtype, real.windows.shape) == (np.int16, (10411, 768))
    assert sorted(set(real.users.tolist())) == list(range(1, 31))
    lines = (hil_data / "hapt" / "labels.txt").read_text().splitlines()
    lengths = [
        (int(a) - 1, int(end) - int(first) + 1)
        for _, _, a, first, end in map(str.split, lines)
    ]
    counts = [
        sum(max(0, (n - 64) // 64) for a, n in lengths if a == label)
        for label in range(6)
    ]
    assert np.bincount(real.labels).tolist() == counts
    gravity = np.linalg.norm(real.windows.reshape(-1, 128, 6)[:, :, :3], axis=2) / 720
    assert abs(np.median(gravity) - 1) < 0.05  # g


def test_hapt_features_tell_activities_of_people_never_seen(real: hapt.Hapt) -> None:
    """A linear classifier by somebody else, on users 1 to 21, then 22 to 30."""
    linear = pytest.importorskip("sklearn.linear_model")
    seen = real.users <= 21
    made = windows.standardised(real.windows[seen][::4], hapt.ROWS, hapt.AXES)
    x = np.array([features(sample, made) for sample in real.windows[::4]])
    seen, labels = seen[::4], real.labels[::4]
    model = linear.LogisticRegression(max_iter=300).fit(x[seen], labels[seen])
    assert model.score(x[~seen], labels[~seen]) > 0.92


def test_missing_hapt_says_what_is_needed_and_under_which_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HIL_DATA", raising=False)
    with pytest.raises(DataError, match="HIL_DATA is not set") as caught:
        hapt.load()
    assert "commercial use is prohibited" in caught.value.hints[0]
    monkeypatch.setenv("HIL_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"there is no .*hapt_accgyro_i16le\.bin\.gz"):
        hapt.load()


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (hapt.LABELS, "1 1 4 1 900\n1 1 x 1 2\n", "line 2: '1 1 x 1 2', expected 5"),
        (hapt.LABELS, "1 1 4 900 1400\n", "rows 900 to 1400 of experiment 1 of user 1"),
        (
            hapt.EXPERIMENTS,
            "exp,user,row_start,rows\n1,1,0,2000\n",
            "but there are 1000",
        ),
        (hapt.SIGNALS, "no gzip", "cannot be read"),
    ],
)
def test_wrong_hapt_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, sentence: str
) -> None:
    import gzip

    monkeypatch.setenv("HIL_DATA", str(tmp_path))
    folder = tmp_path / "hapt"
    folder.mkdir()
    readings = np.zeros((1000, 6), "<i2").tobytes()
    (folder / hapt.SIGNALS).write_bytes(gzip.compress(readings))
    (folder / hapt.EXPERIMENTS).write_text("exp,user,row_start,rows\n1,1,0,1000\n")
    (folder / hapt.LABELS).write_text("1 1 4 1 900\n")
    assert hapt.load().windows.shape == (13, 768)
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=sentence) as caught:
        hapt.load()
    assert name in str(caught.value)
    shutil.rmtree(folder)
