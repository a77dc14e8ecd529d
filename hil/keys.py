"""The keys of an experiment: one table for TOML files, flags and Python.

Every key is a flag of the same name (`samples_per_frame` is
`--samples-per-frame`) and a field of `hil.experiment.Experiment`. A parser
takes what TOML or Python gives, checks it, and gives the field's value; it
raises `ValueError` with what was expected, and says of itself as JSON Schema what it takes. `from_text` makes
of a flag's text what TOML would have given.

More than 400 lines because the table stands with what each of its keys takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from codegen.delays import Delays
from codegen.homeostat import OF_SAMPLES, OF_TICKS
from codegen.numbers import NUMBERS
from codegen.planning.line import LARGEST_PART
from codegen.planning.plan import MOST_REHEARSED
from codegen.planning.ways import SCHEDULES
from codegen.reservoir import KINDS as RESERVOIRS
from codegen.reservoir import Liquid
from codegen.reservoir import options as reservoir_options
from codegen.spec import ACTIVATIONS, HARD_TANH, OUTPUTS
from emulation.faults import KINDS, Faults
from hil.checker import Checker, Schema, either, takes

Parser = Checker[Any]
UNITS = {"": 1, "b": 1, "kib": 1024, "mib": 1024**2, "kb": 1000, "mb": 1000**2}


@dataclass(frozen=True)
class Key:
    """One key; `metavar` is how the help shows its value, None for a switch;
    `alone` is what the flag means without a value, None where it needs one;
    `table` is where it stands in a file, "" at the top; a `path` ends with `ending`."""

    name: str
    parse: Parser
    help: str
    metavar: str | None = "VALUE"
    from_text: Callable[[str], Any] = str
    path: bool = False
    alone: Any = None
    table: str = ""
    ending: str = ""

    def names_path(self, value: Any) -> bool:
        """Whether this value is a path."""
        return self.path and isinstance(value, str) and value.endswith(self.ending)

    @property
    def flag(self) -> str:
        """The flag of this key."""
        return "--" + self.name.replace("_", "-")

    @property
    def schema(self) -> Schema:
        """What a file may set it to, as JSON Schema."""
        return {"description": self.help, **self.parse.schema}


@takes(type="string", minLength=1)
def text(value: Any) -> str:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


@dataclass(frozen=True, eq=False)
class InMemory:
    """Data that the caller holds: what `hil.data.taken.dataset_of` takes, by name."""

    arrays: Mapping[str, Any]

    def __str__(self) -> str:
        return "arrays"


ARRAYS = ("x", "y", "x_test", "y_test")
"""Names of arrays, in the order in which a tuple has them."""
SCALES = ("scale", "offset", "divisor")
"""How they are scaled."""
IN_MEMORY = {
    "type": "object",
    "required": list(ARRAYS[:2]),
    "properties": {name: {} for name in (*ARRAYS, *SCALES)},
    "additionalProperties": False,
}


@takes(**either(text.schema, IN_MEMORY))
def data(value: Any) -> str | InMemory:
    """A name, a path, or arrays: (x, y), (x, y, x_test, y_test), or a table of them by
    name, in which `scale` may stand too, or `offset` and `divisor`."""
    if isinstance(value, (str, InMemory)) and value:
        return value
    if isinstance(value, tuple) and len(value) in (2, 4):
        return InMemory(dict(zip(ARRAYS, value, strict=False)))
    if isinstance(value, dict) and {"x", "y"} <= set(value) <= {*ARRAYS, *SCALES}:
        return InMemory(value)
    raise ValueError(
        "a name, a path, or arrays: (x, y), (x, y, x_test, y_test), or a dict of them, "
        "in which scale may stand too"
    )


@takes(type="boolean")
def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def choice(*known: str) -> Parser:
    """One of these words."""

    @takes(enum=list(known))
    def parse(value: Any) -> str:
        if value not in known:
            raise ValueError("one of " + ", ".join(known))
        return str(value)

    return parse


def whole(least: int, most: int = 2**32 - 1) -> Parser:
    """An integer from `least` to `most`."""

    @takes(type="integer", minimum=least, maximum=most)
    def parse(value: Any) -> int:
        whole_number = isinstance(value, int) and not isinstance(value, bool)
        if not whole_number or not least <= value <= most:
            raise ValueError(f"an integer from {least} to {most}")
        return int(value)

    return parse


LEAST, MOST = 1e-37, 3e38
"""What a number of binary32 lies between, with some room."""


@takes(type="number", exclusiveMinimum=LEAST, exclusiveMaximum=MOST)
def positive(value: Any) -> float:
    """A positive number that binary32 can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a positive number")
    if not LEAST < value < MOST:
        raise ValueError("a positive number within the range of binary32")
    return float(value)


@takes(type="number", minimum=0.05, maximum=1)
def share(value: Any) -> float:
    """A share of a whole."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number from 0.05 to 1")
    if not 0.05 <= value <= 1:
        raise ValueError("a number from 0.05 to 1")
    return float(value)


@takes(type="number", exclusiveMinimum=0, exclusiveMaximum=1)
def below_one(value: Any) -> float:
    """What of something goes on."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number above 0 and below 1")
    if not 0 < value < 1:
        raise ValueError("a number above 0 and below 1")
    return float(value)


WIDTHS = r"\d+(-\d+)+|(-\d+)+"


@takes(
    **either(
        {"type": "string", "pattern": f"^({WIDTHS})$"},
        {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    )
)
def widths(value: Any) -> tuple[int, ...]:
    """Widths of layers, "64-128-10" or [64, 128, 10]; "-128-10", or 0 in place of the
    first, leaves the input's to the data."""
    expected = ValueError('widths such as "64-128-64-10" or [64, 128, 64, 10]')
    if isinstance(value, str):
        if not re.fullmatch(WIDTHS, value):
            raise expected
        return tuple(int(part or 0) for part in value.split("-"))
    if not isinstance(value, (list, tuple)) or not value:
        raise expected
    if not all(isinstance(w, int) and not isinstance(w, bool) for w in value):
        raise expected
    return tuple(value)


CELLS = r"\d{1,5}(,\d{1,5})*"


@takes(
    **either(
        {"type": "string", "pattern": f"^({CELLS})$"},
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
    )
)
def cells(value: Any) -> tuple[int, ...]:
    """Numbers of cells from 0, "0,3,17" or [0, 3, 17]; one said twice counts once."""
    expected = ValueError('cells such as "0,3,17" or [0, 3, 17]')
    if isinstance(value, str):
        if not re.fullmatch(CELLS, value):
            raise expected
        value = [int(part) for part in value.split(",")]
    if not isinstance(value, (list, tuple)) or not value:
        raise expected
    if not all(
        isinstance(c, int) and not isinstance(c, bool) and c >= 0 for c in value
    ):
        raise expected
    return tuple(dict.fromkeys(value))


@takes(**either({"enum": ["every", "none"]}, {"type": "integer", "minimum": 1}))
def every(value: Any) -> str | int:
    """ "every" step, every N-th step, or "none"."""
    if value in ("every", "none"):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError('"every", "none", or a number of steps')


@takes(**either({"const": "all"}, {"type": "integer", "minimum": 0}))
def samples(value: Any) -> str | int:
    """ "all", or a number of samples."""
    if value == "all":
        return "all"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError('"all" or a number of samples')


def _any_case(word: str) -> str:
    """A pattern of the word in small letters, capitals or both."""
    return "".join(f"[{c}{c.upper()}]" for c in word)


SIZE = rf"\s*(0*[1-9]\d*)\s*({'|'.join(_any_case(unit) for unit in UNITS)})\s*"


@takes(
    **either(
        {"type": "integer", "minimum": 1}, {"type": "string", "pattern": f"^{SIZE}$"}
    )
)
def size(value: Any) -> int:
    """Bytes, 32768 or "32 KiB"."""
    expected = ValueError('a size such as "32 KiB"')
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise expected
    match = re.fullmatch(SIZE, str(value))
    if not match:
        raise expected
    return int(match[1]) * UNITS[match[2].lower()]


PLAIN = {"type": ["string", "number", "boolean"]}


@takes(type="object", additionalProperties=PLAIN)
def table(value: Any) -> dict[str, Any]:
    """A table of names and plain values."""
    if not isinstance(value, dict):
        raise ValueError("a table")
    if not all(isinstance(v, (str, int, float, bool)) for v in value.values()):
        raise ValueError("a table of plain values")
    return dict(value)


FAULT = rf"\s*({'|'.join((*KINDS, 'seed'))})=[^,]+"


@takes(type="string", pattern=f"^{FAULT}(,{FAULT})*$")
def faults(value: Any) -> str:
    """What `emulation.faults` makes of it."""
    Faults.parse(text(value))
    return str(value)


MODEL = ".tflite"
"""What the name of a model's file ends with."""
FRONTS: dict[str, dict[str, object]] = {
    **{
        name: {
            "rows": 0,
            **reservoir_options(kind),
            **(OF_SAMPLES if kind is Liquid else {}),
        }
        for name, kind in RESERVOIRS.items()
    },
    Delays.name: {"cells": Delays.cells, **OF_TICKS},
}
"""What may be said of each front."""
FRONT = rf"({'|'.join(FRONTS)})(,[a-z]+=[^,=]+)*|.+\.tflite"


@takes(type="string", pattern=f"^({FRONT})$")
def front(value: Any) -> str:
    """What makes features of a sample: "echo", "liquid,segments=1,cells=64", or the path
    of a model."""
    if not text(value).endswith(MODEL):
        options_of(value)
    return str(value)


def options_of(given: str) -> tuple[str, dict[str, Any]]:
    """The kind of a front and its options. Raises `ValueError` with what was expected."""
    kind, *pairs = given.replace(" ", "").split(",")
    if kind not in FRONTS:
        raise ValueError(
            f"{' or '.join(FRONTS)}, and perhaps NAME=VALUE,...; or a {MODEL} file"
        )
    known: dict[str, object] = FRONTS[kind]
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in known:
            raise ValueError(f"of {kind} " + ", ".join(f"{one}=..." for one in known))
        found[name] = _like(known[name], name, value)
    return kind, found


def _like(default: object, name: str, value: str) -> Any:
    """A text as a value of the default's type."""
    made = number_or_word(value)
    if isinstance(default, float) and isinstance(made, int):
        return float(made)
    if type(made) is not type(default):
        kind = {int: "whole number", float: "number"}.get(type(default), "word")
        raise ValueError(f"{name}= with a {kind} such as {default}")
    return made


def number_or_word(given: str) -> Any:
    """ "3" -> 3, "0.5" -> 0.5, anything else as it is."""
    for kind in (int, float):
        try:
            return kind(given)
        except ValueError:
            continue
    return given


KEYS = (
    Key("name", text, "name of the run and its folder (default: of its data and rule)"),
    Key("target", text, "the model of machine (`hil targets` lists them)", "NAME"),
    Key("unit", text, "one board: its name in bench.toml, or its port; without a value: the "
        "only unit of the bench that fits", "NAME|PORT", alone="auto"),
    Key("vlen", whole(1, 65536), "length of a vector register in bits (default: the target's own)", "BITS", int),
    Key("rule", text, "learning rule (`hil rules` lists them)", "NAME"),
    Key("parameters", table, "parameters of the rule", None),
    Key("network", widths, "widths of the layers, inputs first; -32-10 takes as many inputs as the data "
        "or the front has (default: what fits the data)", "64-128-64-10"),
    Key("format", choice(*NUMBERS), "what weights and activations are: f32, or integers, i16 or i8, or spikes, a rule's own (default: the rule's own, else f32, and i16 where a target computes no float32)",
        "|".join(NUMBERS)),
    Key("activation", choice(*ACTIVATIONS, HARD_TANH), "activation of the hidden layers: " + ", ".join(ACTIVATIONS) + "; of integers tanh or hard-tanh (default: the rule's)"),
    Key("output", choice(*OUTPUTS), "output and its loss: " + ", ".join(OUTPUTS) + " (default: what fits the goal)"),
    Key("data", data, "digits, mnist, fashion, friedman, dense, hapt, or the path of data of your own", "NAME", path=True),
    Key("scaler", choice("standard", "minmax"), "scale each number of a sample on the device, "
        "by constants of the training part: to mean 0 and deviation 1, or to 0..1; behind a "
        "model of --front, each of its features",
        "standard|minmax"),
    Key("model", text, "compute the .tflite model in this file as it is: it learns nothing, and "
        "every output of the test samples is compared with the reference (docs/import.md)",
        "FILE.tflite", path=True),
    Key("front", front, "learn from what a front makes of a sample: a reservoir that it is played to row by row, echo or "
        "liquid, with options such as echo,segments=1,cells=64; cells with delays that go on from sample to sample, delays (docs/spiking.md); or a model, frozen in the image, "
        "a .tflite file (docs/import.md)", "KIND,NAME=VALUE,...|MODEL.tflite", path=True, ending=MODEL),
    Key("cut", text, "the tensor of --front MODEL.tflite to learn from: its name or its number; -1: the "
        "input of the model's last dense layer, behind which there is nothing but softmax, "
        "sigmoid, (de)quantisation and reshapes (default: -1)", "TENSOR|-1"),
    Key("steps", whole(1, 2**31), "learning steps (default: one epoch)", "N", int),
    Key("epochs", whole(1, 2**20), "passes over the training part", "N", int),
    Key("lr", positive, "learning rate of the first epoch (default: the rule's)", "RATE", float),
    Key("lr_decay", positive, "the learning rate is multiplied by FACTOR after each epoch (default: 0.95, of wide inputs 0.7)", "FACTOR", float),
    Key("freeze", whole(0, 2**31), "set the learning rate to 0 from step N on: the device only "
        "predicts", "N", int),
    Key("seed", whole(0), "seed of the weights, the feedback and the order of the samples", "N", int),
    Key("schedule", choice(*SCHEDULES), "when updates are applied: " + ", ".join(SCHEDULES)),
    Key("tuned", text, "kernels and ways that `hil tune` has written into this file", "FILE.toml",
        path=True),
    Key("core", text, "choose kernels by the modelled cycles of this core, spacemit-x60 or sifive-x280, at its "
        "VLEN; none: by instructions (default: the target's own, else by instructions)", "NAME"),
    Key("gate", choice("none", "element", "row", "block", "error"), "leave out updates: "
        "of each element, row or block of 8 below a threshold, or of a whole step whose "
        "error is small", "element|row|block|error"),
    Key("active", share, "share of a layer's rows, or elements, that the gate "
        "lets through: 0.05 to 1 (default: 0.25)", "F", float),
    Key("tau", positive, "the gate's threshold; a controller may move it", "T",
        float),
    Key("error_gate", positive, "no update while every |error| is smaller than E (default of --gate error: 0.1)",
        "E", float),
    Key("goal", choice("label", "vector", "sample"), "what a step learns from: the sample's label, a vector of "
        "numbers (regression), or the sample itself (default: what the data has)",
        "label|vector|sample"),
    Key("momentum", below_one, "a share M of each weight's last change goes on (0.9 is usual; rules "
        "that learn by layers' deltas alone)", "M", float),
    Key("clip_weights", positive, "clip every weight to -W..W", "W", float),
    Key("clip_error", positive, "clip every output error to -E..E", "E", float),
    Key("health", whole(1), "every N steps, write the angle between each layer's update and the true "
        "gradient into metrics.jsonl", "N", int),
    Key("answers", boolean, "keep the outputs of every step in metrics.jsonl", None),
    Key("watch_cells", cells, "cells of the first hidden layer whose potentials and traces are shown, "
        "of a rule whose parameter trace is membranes", "CELL,..."),
    Key("agnostic", boolean, "generate code for any VLEN, not for this one", None),
    Key("icount", boolean, "count instructions exactly (QEMU only; slower)", None),
    Key("compare", every, "compare the state digest after every step or every N-th (outputs and "
        "loss: always); none compares nothing", "every|N|none",
        number_or_word),
    Key("prefix", whole(1, 2**31), "the reference repeats the first N steps; then the device "
        "goes on alone (default: all)", "N", int),
    Key("holdout", whole(1), "hold out N training samples and test on them instead of the test part",
        "N", int),
    Key("test", samples, "test samples that the device classifies at the end: all, or the first N (default: 1000; all that are held out)", "N",
        number_or_word),
    Key("resident", samples, "put training samples into the image instead of on the line: all "
        "of them (without N), or the first N of the first epoch", "N", number_or_word, alone="all"),
    Key("thin", whole(1, 128), "steps of a resident run for each reply of the device "
        "(default: 32, and 128 where not all are compared)", "N", int),
    Key("rehearsal", whole(1, MOST_REHEARSED), "keep this many samples in the device's RAM, "
        "and learn from them again", "SLOTS", int),
    Key("rehearse", whole(1, 255), "steps from kept samples after each new sample "
        "(default: 1)", "R", int),
    Key("rehearse_what", choice("samples", "features"), "what is kept of a sample: all of it, or "
        "what the front made of it (default: features behind a model of --front, else samples)",
        "samples|features"),
    Key("window", whole(1, 64), "STEP frames that may be in flight at once", "N", int),
    Key("samples_per_frame", whole(1, 255), "samples in one STEP frame (default: 4, or as many as fit; of a "
        "process that learns without comparison up to 32)", "N", int),
    Key("chunk", whole(1, LARGEST_PART), "send a sample in parts of at most so many bytes, which the device puts "
        "together: a frame is as long as a part (one STEP in flight)", "BYTES", int),
    Key("commit", whole(1, 2**31), "write a checkpoint every N steps, and after the last",
        "N", int),
    Key("flash", text, "file that serves an emulator as flash (default: flash.bin in "
        "the run folder, when checkpoints are written)", "FILE", path=True),
    Key("faults", faults, "disturb the line, for example "
        "drop=0.01,flip=0.001,seed=7 (docs/reliability.md)", "KIND=RATE,..."),
    Key("ram", size, "memory budget, 32KiB for instance: refuse an image that needs more", "SIZE",
        table="budget"),
    Key("instructions", whole(1), "instructions that a step may take; the gate's "
        "controller keeps to it", "N", int, table="budget"),
    Key("cycles", whole(1), "cycles that a step may take; the gate's controller keeps "
        "to it", "N", int, table="budget"),
    Key("debug", boolean, "let kernels check their arguments, and overwrite scratch memory "
        "before each step", None),
    Key("init", text, "begin with the weights in this file: .npz, or .skops, .joblib, "
        ".pkl, .pt, .pth and .onnx of dense layers (docs/import.md); model: with those of "
        "the model's own last dense layer, behind --front", "FILE|model", path=True),
    Key("save", text, "write the learned weights into this file", "FILE.npz", path=True),
    Key("toolchain", text, "zig, clang, gcc, or cc for the host (default: cc for the host, else zig)", "NAME"),
    Key("console", choice("socket", "pty"), "an emulator's line: socket or pty", "KIND"),
)  # fmt: skip
