"""hil schema: the schemas say of files what hil says of them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hil
import targets
from codegen import rules
from codegen.building import toolchain
from codegen.spec import RuleChoice
from hil import documents, experiment, keys
from hil.cli import main
from hil.demo import file as demos
from hil.device import units
from hil.errors import HilError
from hil.key_rules import CLASHES
from hil.records import record, run_files
from hil.schemas.kinds import KINDS
from hil.sweep import cells

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]


@cache
def validator(kind: str) -> jsonschema.Draft202012Validator:
    """The schema that ships, as another program reads it."""
    schema = json.loads((documents.SCHEMAS / f"{kind}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def fits(kind: str, document: Any) -> bool:
    return bool(validator(kind).is_valid(document))


def take_experiment(path: Path) -> None:
    asked = experiment.load(path)
    rules.get(RuleChoice(asked.rule, asked.parameters))
    targets.load(asked.target)
    assert asked.toolchain in (None, *toolchain.NAMES)


TAKE: dict[str, Callable[[Path], object]] = {
    "experiment": take_experiment,
    "sweep": lambda path: cells.cells(cells.load(path)),
    "demo": demos.load,
    "bench": units.load,
    "target": targets.load_file,
}
"""What hil does with a file of each kind before anything is begun."""


def is_taken(kind: str, path: Path) -> bool:
    try:
        TAKE[kind](path)
    except (HilError, AssertionError):
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_that_ships_is_what_hil_prints(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    validator(kind)
    assert main(["schema", kind]) == 0
    shipped = (documents.SCHEMAS / f"{kind}.json").read_text()
    assert capsys.readouterr().out == shipped, "`make schemas` writes them anew"


def test_every_schema_is_listed_and_made_by_make_schemas(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["schema", "--json", "-"]) == 0
    listed = json.loads(capsys.readouterr().out)["schemas"]
    assert {Path(path) for path in listed.values()} == {
        *documents.SCHEMAS.glob("*.json")
    }
    made = re.search(r"^SCHEMAS := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert made and made[1].split() == list(KINDS)


def test_a_schema_that_there_is_not_names_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["schema", "experiments"]) == 2
    assert "did you mean 'experiment'?" in capsys.readouterr().err


SHIPPED = [
    *(("experiment", path) for path in [ROOT / "examples/mnist-dfa.toml"]),
    *(("sweep", path) for path in sorted((ROOT / "examples").glob("*.toml"))),
    *(("target", path) for path in sorted((ROOT / "targets").glob("*.toml"))),
    *(("demo", path) for path in sorted(demos.GALLERY.glob("*.toml"))),
]


@pytest.mark.parametrize(
    ("kind", "path"), SHIPPED, ids=[f"{kind} {path.stem}" for kind, path in SHIPPED]
)
def test_a_file_that_ships_fits(kind: str, path: Path) -> None:
    validator(kind).validate(tomllib.loads(path.read_text()))


UNIT = '[units.desk]\ntarget = "host"\nport = "/dev/ttyUSB0"\n'
DEMO = 'title = "t"\n[experiment]\nlr = 0.1\n[arms.one]\n'
TARGET = (ROOT / "targets/qemu-rv64gcv.toml").read_text()
CASES = [
    ("experiment", "", True),
    ("experiment", 'name = ""', True),
    ("experiment", "steps = 3", True),
    ("experiment", "stesp = 3", False),
    ("experiment", 'steps = "3"', False),
    ("experiment", "steps = true", False),
    ("experiment", "steps = 0", False),
    ("experiment", "steps = 3\nepochs = 1", False),
    ("experiment", 'target = "hots"', False),
    ("experiment", 'rule = "dfs"', False),
    ("experiment", 'toolchain = "tcc"', False),
    ("experiment", 'network = "64-10"', True),
    ("experiment", "network = [64, 10]", True),
    ("experiment", 'network = ["64", 10]', False),
    ("experiment", "network = []", False),
    ("experiment", 'resident = "all"\nthin = 3', True),
    ("experiment", "thin = 3", False),
    ("experiment", "resident = 0\nthin = 3", False),
    ("experiment", "rehearse = 2", False),
    ("experiment", "rehearsal = 8\ncommit = 10", False),
    ("experiment", 'compare = "none"\nprefix = 3', False),
    ("experiment", 'compare = 8\nprefix = 3', True),
    ("experiment", 'schedule = "auto"\ntuned = "t.toml"', True),
    ("experiment", 'schedule = "fused"\ntuned = "t.toml"', False),
    ("experiment", '[budget]\nram = "32 KiB"', True),
    ("experiment", '[budget]\nram = "32 bananas"', False),
    ("experiment", "[budget]\nrom = 1", False),
    ("experiment", 'ram = "32 KiB"', False),
    ("experiment", "[budget]\ninstructions = 9\ncycles = 9", False),
    ("experiment", "[parameters]\nfeedback_scale = 0.5", True),
    ("experiment", '[parameters]\nfeedback = "sings"', False),
    ("experiment", "[parameters]\nk = 4", False),
    ("experiment", 'rule = "fg-local"\n[parameters]\nk = 4', True),
    ("experiment", 'rule = "fg-local"\n[parameters]\nk = 0', False),
    ("experiment", 'faults = "drop=0.1,seed=3"', True),
    ("experiment", 'faults = "drip=0.1"', False),
    ("sweep", 'rule = ["bp", "dfa"]\nseed = [1, 2]', True),
    ("sweep", "network = [64, 10]", True),
    ("sweep", 'network = ["64-10", "64-32-10"]', True),
    ("sweep", "network = [[64, 10], [64, 32, 10]]", True),
    ("sweep", "seed = []", False),
    ("sweep", "sede = 1", False),
    ("sweep", 'lr = [0.1, "0.2"]', False),
    ("sweep", '[[experiment]]\nrule = "fg-local"\nparameters = { k = [1, 4] }', True),
    ("sweep", 'rule = "fg-local"\nparameters = { k = [] }', False),
    ("sweep", "experiment = []", False),
    ("demo", DEMO, True),
    ("demo", DEMO.replace("title", "titel"), False),
    ("demo", DEMO.replace('"t"', "3"), False),
    ("demo", DEMO.replace("lr", "rl"), False),
    ("demo", DEMO.replace("0.1", "-0.1"), False),
    ("demo", DEMO + "lrr = 0.1", False),
    ("demo", DEMO + 'freeze = "one"\nafter = 3', False),
    ("demo", 'title = "t"\n[arms]\n', False),
    ("demo", DEMO + "[metrics]\nm = 3", False),
    ("demo", 'reference = ["m"]\n' + DEMO + '[metrics]\nm = "meant"', True),
    ("demo", 'reference = "m"\n' + DEMO + '[metrics]\nm = "meant"', False),
    ("demo", DEMO.replace("one", '"o/e"'), False),
    ("demo", DEMO + 'data = "digits"', False),
    ("demo", DEMO + '[metrics]\nm = "what it means"', True),
    ("bench", "", True),
    ("bench", UNIT, True),
    ("bench", UNIT.replace("port", "prot"), False),
    ("bench", UNIT.replace('"host"', '"hots"'), False),
    ("bench", UNIT.replace('"host"', "3"), False),
    ("bench", UNIT.replace("desk", "auto"), False),
    ("bench", UNIT.replace("desk", '"a:b"'), False),
    ("bench", UNIT.replace("units", "unit"), False),
    ("bench", UNIT + 'loader = "openocd"\nconfig = "board.cfg"', True),
    ("bench", UNIT + 'loader = "openocd"', False),
    ("bench", UNIT + 'loader = "opencd"', False),
    ("bench", UNIT + 'loader = "command"\ncommand = "write {image}"', True),
    ("bench", UNIT + 'loader = "command"\ncommand = "write it"', False),
    ("bench", UNIT + 'loader = "esptool"\nchip = "esp32c3"', True),
    ("bench", UNIT + 'loader = "esptool"\nchip = "esp32"', False),
    ("bench", UNIT + 'baud = "fast"', False),
    ("bench", UNIT + 'rts = "high"', False),
    ("target", TARGET, True),
    ("target", TARGET.replace("vlens =", "vlnes ="), False),
    ("target", TARGET.replace("xlen = 64", 'xlen = "64"'), False),
    ("target", TARGET.replace("xlen = 64", "xlen = 48"), False),
    ("target", TARGET.replace('machine = "qemu"', 'machine = "board"'), False),
    ("target", TARGET.replace("[riscv]", "[arm]"), False),
    ("target", TARGET.replace("boot = 30", 'boot = "30 s"'), False),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "good"), CASES)
def test_hil_and_the_schema_agree(
    kind: str, text: str, good: bool, tmp_path: Path
) -> None:
    path = tmp_path / "qemu-rv64gcv.toml"
    path.write_text(text)
    assert is_taken(kind, path) is good
    assert fits(kind, tomllib.loads(text)) is good


WORDS = st.sampled_from(
    ["all", "every", "none", "64-10", "64-", "32 KiB", "1 MB", "0", "", "digits", "zig"]
    + ["drop=0.1", "noise=0.5,seed=2", "element", "tanh", "label", "auto", "fused"]
)
VALUES = st.one_of(
    WORDS, st.booleans(), st.integers(-2, 130), st.integers(),
    st.floats(allow_nan=False).filter(lambda value: not value.is_integer()),
    st.lists(st.one_of(st.integers(0, 99), WORDS), max_size=3),
    st.dictionaries(WORDS, st.one_of(WORDS, st.integers(), st.lists(WORDS)), max_size=2),
)  # fmt: skip
"""What a file may set a key to; no 20.0, which JSON Schema takes for a whole number."""


def takes(key: keys.Key, value: Any) -> bool:
    try:
        key.parse(value)
    except ValueError:
        return False
    return True


@settings(max_examples=400)
@given(st.sampled_from(keys.KEYS), VALUES)
def test_a_key_takes_what_its_schema_says(key: keys.Key, value: Any) -> None:
    fit = jsonschema.Draft202012Validator(key.schema).is_valid(value)
    assert takes(key, value) is fit, (key.name, value)


DOCUMENT = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 9), st.floats(0.1, 0.9))
    | st.sampled_from(["pass", "0123abcd", "zzzzzzzz"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["step", "index", "sentence", "tested"]), inner
        )
    ),
    max_leaves=5,
)
PARTS = [
    run_files.DIVERGENCE, run_files.ACCURACY, run_files.METRICS, run_files.COUNTS,
    run_files.STEP, documents.maybe(documents.digest), documents.each(documents.whole),
    documents.one_of("pass", "fail"),
]  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(PARTS), DOCUMENT)
def test_a_shape_is_what_its_schema_says(part: documents.Shape, value: Any) -> None:
    fit = jsonschema.Draft202012Validator(part.schema).is_valid(value)
    assert (part(value) == "") is fit, value


@settings(max_examples=200)
@given(st.dictionaries(
    st.sampled_from(sorted({thing.key for clash in CLASHES for thing in clash.things})),
    st.sampled_from([None, 0, 3, "auto", "none", "all"]),
))  # fmt: skip
def test_a_clash_is_what_its_schema_says(said: dict[str, Any]) -> None:
    fields = {**dict.fromkeys({t.key for c in CLASHES for t in c.things}), **said}
    table = {name: value for name, value in said.items() if value is not None}
    for clash in CLASHES:
        fit = jsonschema.Draft202012Validator(clash.schema).is_valid(table)
        assert clash.of(fields) is not fit, (clash.why, table)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Path:
    """The folder of a run."""
    out = tmp_path_factory.mktemp("runs")
    asked = hil.Experiment(
        target="host", network=(64, 8, 10), steps=20, test=20, health=5, commit=10,
        faults="drop=0.01,seed=2", ram=1 << 20,
    )  # fmt: skip
    return hil.run(asked, out=out).folder


def spoilt(document: Any, name: str, value: Any) -> Any:
    return {**document, name: value}


def test_the_files_of_a_run_fit(ran: Path) -> None:
    document = json.loads((ran / record.FILE).read_text())
    validator("record").validate(document)
    assert not fits("record", spoilt(document, "steps", "20"))
    assert not fits("record", spoilt(document, "schema", 2))
    del document["digest"]
    assert not fits("record", document)
    lines = (ran / record.METRICS).read_text().splitlines()
    assert len(lines) == 20
    for line in map(json.loads, lines):
        validator("step").validate(line)
        assert not fits("step", spoilt(line, "loss", "small"))
    text = (ran / record.EXPERIMENT).read_text()
    assert text.startswith(documents.schema_line("experiment"))
    validator("experiment").validate(tomllib.loads(text))


PAGE = """\
from hil import datasets
from hil.demo import Part, Stream

def streams(seed):
    d = datasets.load("digits")
    test = d.test_x[:9], d.test_y[:9]
    return {"digits": Stream([Part("one", d.train_x[:9], d.train_y[:9], test)], d.inputs.scale)}

def metrics(arms, streams):
    return {"right": arms["one"].test("one", after="one")}

def verdict(metrics):
    return "so"
"""


def test_the_record_of_a_demo_fits(tmp_path: Path, host_cc: str) -> None:
    text = DEMO.replace("lr", 'target = "host"\nnetwork = "64-8-10"\nlr')
    (tmp_path / "own.toml").write_text(text + '[metrics]\nright = "learned"\n')
    (tmp_path / "own.py").write_text(PAGE)
    out = str(tmp_path / "out")
    assert main(["demo", str(tmp_path / "own.toml"), "--out", out]) == 0
    (path,) = Path(out).glob(f"*/{record.DEMO}")
    document = json.loads(path.read_text())
    validator("demo-record").validate(document)
    assert not fits("demo-record", spoilt(document, "arms", {"one": {}}))
    (folder,) = path.parent.glob(f"*/{record.FILE}")
    validator("record").validate(json.loads(folder.read_text()))


def test_a_new_demo_fits_and_names_its_schema(tmp_path: Path) -> None:
    assert main(["demo", "--new", str(tmp_path / "mine")]) == 0
    text = (tmp_path / "mine.toml").read_text()
    assert text.startswith(documents.schema_line("demo"))
    validator("demo").validate(tomllib.loads(text))


def test_the_first_line_of_a_file_leads_to_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_BENCH", str(tmp_path / "bench.toml"))
    for name in ("desk", "shelf"):
        assert main(["bench", "add", name, "--target", "host", "--port", "/no"]) == 0
    text = (tmp_path / "bench.toml").read_text()
    assert text.count("#:schema ") == 1
    uri = text.splitlines()[0].removeprefix("#:schema ")
    path = Path(uri.removeprefix("file://"))
    assert json.loads(path.read_text())["title"] == "hil bench"
    validator("bench").validate(tomllib.loads(text))
