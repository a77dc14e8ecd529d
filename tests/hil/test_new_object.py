"""`hil demo new-object`: what its heads come to, against scikit-learn on the same
features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid

from codegen.frozen import Frozen
from codegen.reference.fronts import imported
from codegen.spec import Inputs
from hil import demo as demos
from hil.data import cifar10
from hil.errors import DataError
from hil.experiment import load
from hil.learning.progress import Progress
from hil.lesson.preparing import prepare

POINT = 0.01 + 1e-9


def test_records_become_pixels_with_their_colours(tmp_path: Path) -> None:
    """The first pixel of the second record is 2, 1026, 2050 of its planes."""
    planes = (np.arange(2 * 3072) % 251).astype(np.uint8).reshape(2, 3, 32, 32)
    labels = np.array([[3], [9]], np.uint8)
    path = tmp_path / "some.bin"
    path.write_bytes(np.hstack([labels, planes.reshape(2, -1)]).tobytes())
    x, y = cifar10.read(path)
    assert y.tolist() == [3, 9]
    for image in range(2):
        told = x[image].reshape(32, 32, 3)
        assert np.array_equal(told[5, 7], planes[image, :, 5, 7])


@pytest.mark.parametrize("data", [b"", b"x" * 3072, b"\x0a" + bytes(3072)])
def test_what_is_no_record_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(data)
    with pytest.raises(DataError, match="expected"):
        cifar10.read(path)


@pytest.mark.full
@pytest.mark.usefixtures("host_cc", "hil_data")
def test_heads_are_within_a_point_of_scikit_learns(tmp_path: Path) -> None:
    demo = demos.find("new-object")
    found = demos.run(demo, {"target": "host"}, tmp_path, Progress()).metrics
    stream = demo.module().streams(1)["images"]
    assert stream.front is not None
    plain = Inputs("u8", 1.0, frozen=Frozen(Path(stream.front).read_bytes()))
    (replay,) = tmp_path.rglob("*replay*/experiment.toml")
    scaled = prepare(load(replay)).dataset.inputs

    def features(*arrays: np.ndarray, inputs: Inputs = plain) -> np.ndarray:
        return imported.network_input(inputs, np.concatenate(arrays))

    came = [part.x for part in stream.parts]
    y = np.concatenate([part.y for part in stream.parts])
    tests = [part.test for part in stream.parts if part.test is not None]
    shown = [x for x, _ in tests]
    test_y = np.concatenate([y for _, y in tests])
    shares = {
        "ncm": (NearestCentroid(), plain),
        "slda": (
            LinearDiscriminantAnalysis("lsqr", shrinkage=0.01, priors=np.full(10, 0.1)),
            plain,
        ),
        "joint": (LogisticRegression(max_iter=5000), plain),
        "replay": (LogisticRegression(max_iter=5000), scaled),
    }
    told = {
        name: one.fit(features(*came, inputs=inputs), y).score(
            features(*shown, inputs=inputs), test_y
        )
        for name, (one, inputs) in shares.items()
    }
    print(told)
    for name in ("ncm", "slda"):
        assert abs(found[f"ten_{name}"] - told[name]) <= POINT
    assert found["ten_slda"] >= told["joint"] - POINT
    assert found["ten_replay"] >= told["replay"] - POINT
