"""`hil demo personal-front`: windows of raw readings behind a convolutional network; and
examples/activities.py, which trains it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from codegen.frozen import Frozen
from codegen.reference.fronts import imported
from codegen.spec import Inputs
from hil import demo as demos
from hil.cli import main
from hil.data import hapt
from hil.demo.gallery import personal, personal_front
from hil.learning.progress import Progress
from hil.learning.session import carried_out
from tests.graph import blocks
from tests.hil.own_demo import edited

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def real(hil_data: Path) -> hapt.Hapt:
    """HAPT, where it is."""
    if not (hil_data / "hapt").is_dir():
        pytest.skip("HIL_DATA has no hapt/ in it")
    return hapt.load()


@pytest.fixture
def front(tmp_path: Path) -> Path:
    """A model of such windows that knows nothing."""
    path = tmp_path / "front.tflite"
    path.write_bytes(blocks.convolutional())
    return path


@pytest.fixture
def short(real: hapt.Hapt, tmp_path: Path) -> Path:
    """The demo, of fewer windows."""
    assert main(["demo", "personal-front", "--copy", str(tmp_path)]) == 0
    page = tmp_path / "personal_front.py"
    edited(page, "LEARNED, TESTED = 600, 500", "LEARNED, TESTED = 20, 8")
    each = "(one & (np.cumsum(one) % 20 == 1) for one in newcomer(data, seed))"
    edited(page, "= newcomer(data, seed)", f"= {each}")
    return tmp_path / "personal-front.toml"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The script, which needs TensorFlow only to train."""
    path = ROOT / "examples" / "activities.py"
    spec = importlib.util.spec_from_file_location("activities", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_whom_the_demo_adapts_to_nobody_trains_on(
    real: hapt.Hapt, example: ModuleType
) -> None:
    x, y = example.windows()
    known = real.users <= personal_front.KNOWN
    assert len(x) == len(y) == known.sum() == 7012
    for seed in range(1, 10):
        person, first = personal.newcomer(real, seed)
        assert not (person & known).any()
        assert 0 < first.sum() < person.sum()


def test_what_is_trained_on_is_what_the_device_sees(
    real: hapt.Hapt, example: ModuleType
) -> None:
    """But for the rounding to 256 steps."""
    frozen = Frozen(blocks.convolutional())
    assert frozen.entering == (example.STEP, 0)
    inputs = Inputs("i16", personal_front.SCALE, frozen=frozen)
    windows = real.windows[real.users <= personal_front.KNOWN][::500]
    for sample, trained in zip(windows, example.windows()[0][::500], strict=True):
        seen = imported.given(inputs, sample)[0] * example.STEP
        assert np.abs(seen - trained).max() <= example.STEP / 2


def test_the_demo_says_what_it_lacks(
    real: hapt.Hapt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "personal-front", "--target", "host"]) == 2
    said = capsys.readouterr().err
    assert "go through the model 'activities.tflite', which is not there" in said
    assert "--front MODEL.tflite" in said


def test_windows_of_features_have_no_model_behind_them(
    real: hapt.Hapt, front: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ["--front", str(front), "--target", "host"]
    assert main(["demo", "personal", *keys]) == 2
    assert "`hil demo personal-front`" in capsys.readouterr().err


@pytest.mark.usefixtures("host_cc")
def test_a_head_learns_windows_behind_a_model(
    short: Path, front: Path, tmp_path: Path
) -> None:
    """Every arm is planned and every figure tried; one arm learns, in lockstep."""
    demo = demos.find(str(short))
    ready = demos.check(demo, {"target": "host", "front": str(front)})
    ready.write(tmp_path)
    (replay,) = (arm for arm in demo.arms if arm.name == "replay")
    record = carried_out(ready.lesson(replay, tmp_path), tmp_path, Progress()).record
    assert (record.result, record.compared) == ("pass", 8 * 29)


@pytest.mark.full
@pytest.mark.usefixtures("host_cc")
@pytest.mark.parametrize("target", ["host", "qemu-rv64gcv", "mps2-an386"])
def test_the_demo_runs_to_its_figures(
    short: Path, front: Path, tmp_path: Path, target: str
) -> None:
    keys = {"target": target, "front": str(front)}
    outcome = demos.run(demos.find(str(short)), keys, tmp_path / "runs", Progress())
    assert outcome.exit_code == 0
    assert set(outcome.metrics) == set(outcome.demo.metrics)
    assert None not in outcome.metrics.values()
