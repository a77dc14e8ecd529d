"""Whatever is wrong in a demo's two files is said in a sentence, before anything is
built: here nothing can be, for the compiler always fails."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from hil import demo as demos
from hil.cli import main
from hil.demo import file
from hil.demo.guessed import made_up
from hil.learning.progress import Progress
from hil.records.record import METRICS
from hil.verbs import demo as verb
from tests.hil import own_demo
from tests.hil.own_demo import edited


@pytest.fixture
def bad_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that has its name and no more, and no image of an earlier run; the file
    in which it notes that it was called."""
    (tmp_path / "bin").mkdir()
    compiler, called = tmp_path / "bin" / "cc", tmp_path / "called"
    compiler.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo cc 1.0 && exit\n: > {called}\nexit 1\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(compiler.parent))
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    return called


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A demo of which nothing is wrong yet."""
    (tmp_path / "mine").mkdir()
    return own_demo.write(tmp_path / "mine")


IN_TOML = [
    # what stands where
    ('title = "Two small worlds"\n', "", "has no title"),
    ("title =", "titel =", "unknown key 'titel'", "did you mean 'title'?"),
    ("[experiment]", "[experiments]", "'experiments'", "did you mean 'experiment'?"),
    ("[experiment]", "about = 3\n[experiment]", "about is 3: expected a text"),
    ("[metrics]", "[metric]", "unknown key 'metric'", "did you mean 'metrics'?"),
    ("[arms.learning]", "[arms]\nlearning = 3", "expected a table [arms.learning]"),
    ("[arms.learning]", '[arms."a/b"]', "arm 'a/b': expected a name of letters"),
    # keys of an experiment, and of an arm
    ("lr =", "rate =", "[experiment] has an unknown key 'rate'"),
    ("lr = 0.05", "lr = 0.05\nmomentun = 0.9", "did you mean 'momentum'?"),
    ("lr = 0.05", 'lr = "fast"', "[experiment]: lr is 'fast': expected a positive"),
    ("network =", 'data = "a.csv"\nnetwork =', "has 'data', which a demo sets itself"),
    ("freeze =", "freezee =", "arm 'frozen' has an unknown key", "mean 'freeze'?"),
    ("freeze =", "straem =", "arm 'frozen' has an unknown key", "mean 'stream'?"),
    ('freeze = "one"', "freeze = 40", "arm 'frozen': freeze is 40: expected a text"),
    ('rule = "readout"', "lr = -1", "arm 'later': lr is -1: expected a positive"),
    ('rule = "readout"', 'parameters = "k"', "parameters is 'k': expected a table"),
    ('rule = "readout"', 'init = "w.npz"', "has after and init: expected one of them"),
    # what an arm names
    ('after = "learning"', 'after = "lerning"', "starts after 'lerning'", "'learning'?"),
    ('freeze = "one"', 'freeze = "onee"', "its stream has one, two", "mean 'one'?"),
    ('freeze = "one"', 'stream = "digit"', "meets stream 'digit'", "mean 'digits'?"),
    ('rule = "readout"', 'rule = "reedout"', "arm 'later'", "'readout'"),
    ('rule = "readout"', 'target = "hots"', "arm 'later'", "host"),
    # what fits together
    ('rule = "readout"', 'network = "64-8-10"', "expected the same tensors"),
    ('rule = "readout"', 'network = "63-8-10"', "arm 'later'", "has 64 features"),
    ('rule = "readout"', 'network = "64-8-9"', "arm 'later'", "labels up to 9"),
    ('rule = "readout"', 'goal = "vector"', "arm 'later': goal is 'vector'"),
    ('rule = "readout"', 'gate = "row"\nrule = "nothing"', "arm 'later'"),
    ('rule = "readout"', "epochs = 2", "time does not come twice"),
    ('rule = "readout"', 'compare = "none"', "arm 'later': compare is 'none'"),
    ('after = "learning"', 'init = "gone.npz"', "arm 'later': there is no weights file"),
    ('after = "learning"', 'init = "own.py"', "arm 'later': weights file"),
    # figures
    ("frozen = ", "icy = ", "do not name the same figures: frozen, icy"),
    ('learning = "the', 'learnin = "the', "figures: learnin, learning", "'learning'?"),
    ('"the second world, learned"', "3", "[metrics]: learning is 3: expected a text"),
    ("[experiment]", 'reference = ["gone"]\n[experiment]', "names of [metrics]"),
    ("lr = 0.05", "lr = 0.05\nsteps = 30", "leave out --steps"),
]  # fmt: skip
IN_PAGE = [
    # the file
    ("from hil import", "from hill import", "own.py, line 1: ModuleNotFoundError"),
    ("def verdict(metrics)", "def verdict(metrics", "own.py, line 1"),
    ("def verdict(", "def verdicts(", "no function 'verdict'", "mean 'verdicts'?"),
    ("def streams(seed)", "def streams()", "own.py: TypeError: streams() takes 0"),
    # streams
    ("y[:40], test)", "y[:40], tests)", "own.py, line 7: NameError"),
    ('{"digits": Stream(parts, d.inputs.scale)}', "parts", "gives a list: expected the"),
    ("    return {", "    {", "the function streams gives nothing: expected the"),
    ("Stream(parts, d.inputs.scale)", "parts", "'digits' is a list: expected a Stream"),
    ('"digits": S', '"a/b": S', "stream 'a/b': expected a name of letters"),
    ("Stream(parts,", "Stream(parts[0],", "parts of a Part: expected a list"),
    ("Stream(parts,", "Stream([],", "parts of a list: expected a list"),
    (", test)", ")", "a stream has no tests (one, two)"),
    ("test = d.test_x[:60], d.test_y[:60]", "test = d.test_x", "(x_test, y_test)"),
    ('Part("two"', 'Part("one"', "has two parts 'one'"),
    ('Part("two"', "Part(2", "a part named 2: expected a text"),
    ("train_x[:40], d.train_y[:40]", "train_x[:0], d.train_y[:0]", "'one' has no samples"),
    ("d.train_y[40:90]", "d.train_y[40:80]", "there are 50 samples and 40 labels"),
    ("d.train_x[40:90]", "d.train_x[40:90, :60]", "part 'two': x is uint8 [50, 60]"),
    ("d.train_x[40:90]", "d.train_x[40:90] / 2", "part 'two': x is float64", "uint8"),
    ("d.test_y[:60]", "d.test_y[:60] / 1", "tests of demo 'own'", "y is float64 [60]"),
    ("Stream(parts, d.inputs.scale)", "Stream(parts, -1)", "scale is"),
    ("d.inputs.scale)", "d.inputs.scale, {'windows': test})", "extra array 'windows'"),
    # figures
    ('test("two", after', 'text("two", after', "own.py, line 12: AttributeError"),
    ('"two", after="two"', '"too", after="two"', "has no task 'too'", "mean 'two'?"),
    ('arms["learning"]', 'arms["lerning"]', "own.py, line 12: KeyError: 'lerning'"),
    ('.recovery("two")', '.recovery("one")', "nothing came before task 'one'"),
    ('arms["later"].recovery("two")', "float('nan')", "_steps' is nan, expected"),
    ('arms["later"].recovery("two")', "'soon'", "is 'soon', expected a number"),
    ('return {"learning"', '{"learning"', "the function metrics gives nothing"),
    # the verdict
    ("['learning']:.0%", "['learning']:.q", "own.py, line 17: ValueError"),
    ("metrics['learning']", "metrics['learnin']", "line 17: KeyError: 'learnin'"),
    ("return f", "f", "the function verdict gives nothing: expected a sentence"),
    ("['frozen']:.0%", "['later_recovery_steps']:.0f", "line 17: TypeError"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (name, old, new, said)
        for name, rows in (("own.toml", IN_TOML), ("own.py", IN_PAGE))
        for old, new, *said in rows
    ],
)
def test_what_is_wrong_is_said_before_anything_is_built(
    own: Path,
    bad_compiler: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    old: str,
    new: str,
    said: list[str],
) -> None:
    edited(own.with_name(name), old, new)
    runs = own.parent / "runs"
    code = main(["demo", str(own), "--out", str(runs)])
    told = capsys.readouterr().err
    assert code == 2, told
    for text in said:
        assert text in told
    first, *hints = told.splitlines()
    assert first.startswith("hil: ")
    assert all(re.match(r"\s*(hint|-)", hint) for hint in hints), hints
    assert not runs.exists() and not bad_compiler.exists()


def test_a_demo_that_is_right_is_built(
    own: Path, bad_compiler: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that the test above says something: here a build fails."""
    assert main(["demo", str(own), "--out", str(own.parent / "runs")]) == 3
    assert "cc" in capsys.readouterr().err
    assert bad_compiler.exists() and [*own.parent.glob("runs/*/demo.json")]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('ram = "1 KiB"', "network 64-16-10 with rule readout needs"),
        ('toolchain = "gcx"', "unknown toolchain 'gcx'"),
    ],
)
def test_an_arm_that_cannot_be_built_is_refused_before_another_is(
    own: Path,
    bad_compiler: Path,
    capsys: pytest.CaptureFixture[str],
    key: str,
    said: str,
) -> None:
    edited(own, "[arms.later]", f"[arms.later]\n{key}")
    assert main(["demo", str(own), "--out", str(own.parent / "runs")]) == 3
    assert f"arm 'later': {said}" in capsys.readouterr().err
    assert not (own.parent / "runs").exists() and not bad_compiler.exists()


def test_a_flag_that_no_arm_can_heed_is_refused(
    own: Path, bad_compiler: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for flag, said in (
        ("--rule=dfaa", "arm 'learning'"),
        ("--test=0", "has no accuracy"),
    ):
        assert main(["demo", str(own), flag]) == 2
        assert said in capsys.readouterr().err


def test_no_flag_of_the_verb_is_one_that_a_demo_sets_itself() -> None:
    assert set(verb.SET) == set(file.SET)


@pytest.mark.usefixtures("host_cc")
def test_records_that_figures_are_tried_on_are_like_those_of_a_run(
    own: Path, tmp_path: Path
) -> None:
    """Else a page could be refused for what would have been right."""
    demo = demos.find(str(own))
    ready = demos.check(demo, {})
    ran = demos.run(demo, {}, tmp_path, Progress()).arms
    for arms in made_up(ready.lessons):
        for name, record in ran.items():
            there, tried = record.to_json(), arms[name].record
            assert shape(tried) == shape(there)
            lines = Path(tried["folder"], METRICS).read_text().splitlines()
            right = (record.folder / METRICS).read_text().splitlines()
            assert len(lines) == len(right)
            assert len(arms[name].losses("two")) == 50


LOOSE = ("versions", "experiment", "device", "seconds", "speed", "digest")
"""Of a record: what names files, or is not there on every machine."""


def shape(value: object) -> object:
    """What a document is made of: its keys, and how long its lists are."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items() if k not in LOOSE}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "number" if isinstance(value, (int, float)) else type(value).__name__


BESIDE = """\
def worlds():
    return "one", {second!r}
"""


def test_a_page_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    """Each page its own, though both are called alike."""
    found = []
    for second in ("two", "three"):
        (folder := tmp_path / second).mkdir()
        own = own_demo.write(folder)
        page = own.with_name("own.py")
        edited(
            page, "    parts =", "    from worlds_of_mine import worlds\n    parts ="
        )
        edited(page, 'Part("two"', "Part(worlds()[1]")
        edited(page, "from hil import", "import worlds_of_mine\nfrom hil import")
        edited(page, '"two"', repr(second))
        (folder / "worlds_of_mine.py").write_text(BESIDE.format(second=second))
        before = [*sys.path]
        ready = demos.check(demos.find(str(own)), {})
        assert sys.path == before and "worlds_of_mine" not in sys.modules
        found.append([part.name for part in ready.streams["digits"].parts])
    assert found == [["one", "two"], ["one", "three"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def worlds(:", "worlds_of_mine.py, line 1: SyntaxError"),
        ("\n\nwrold = 1 + None", "worlds_of_mine.py, line 3: TypeError"),
    ],
)
def test_what_is_wrong_beside_a_page_is_said_with_its_line(
    own: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    edited(
        own.with_name("own.py"),
        "from hil import",
        "import worlds_of_mine\nfrom hil import",
    )
    own.with_name("worlds_of_mine.py").write_text(text)
    assert main(["demo", str(own)]) == 2
    assert said in capsys.readouterr().err


def test_paths_in_a_demo_begin_at_its_folder(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited(own, 'after = "learning"', 'init = "start.npz"')
    edited(own, 'rule = "readout"', "")
    rng = np.random.default_rng(1)
    shapes = {"W1": (64, 16), "b1": (16,), "W2": (16, 10), "b2": (10,)}
    start = {name: rng.random(shape, np.float32) for name, shape in shapes.items()}
    np.savez(own.with_name("start.npz"), **start)
    monkeypatch.chdir(tmp_path)
    lesson = demos.check(demos.find("mine/own.toml"), {}).lessons["later"]
    assert lesson.experiment.init == str(own.with_name("start.npz"))
