"""The keys of an experiment: one table for TOML files, flags and Python.

Every key is a flag of the same name (`samples_per_frame` is
`--samples-per-frame`) and a field of `hil.experiment.Experiment`. `hil.key_values` says
what each takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codegen.numbers import NUMBERS
from codegen.planning.line import LARGEST_PART
from codegen.planning.plan import MOST_REHEARSED
from codegen.planning.ways import SCHEDULES
from codegen.spec import ACTIVATIONS, HARD_TANH, OUTPUTS
from hil.checker import Schema
from hil.key_values import (
    MODEL,
    Parser,
    below_one,
    boolean,
    cells,
    choice,
    data,
    every,
    faults,
    front,
    number_or_word,
    positive,
    samples,
    share,
    size,
    table,
    text,
    whole,
    widths,
)


@dataclass(frozen=True)
class Key:
    """One key of an experiment.

    parse: checks a value, and returns what the experiment holds. metavar: how the help
    shows the value, None for a switch. from_text: turns a flag's text into what TOML
    would have given. path: a value that ends with `ending` is a path. alone: what the
    flag means without a value, None where it needs one. table: where the key stands in
    a file, "" at the top.
    """

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
    Key("format", choice(*NUMBERS), "numbers of weights and activations: f32; i16 or i8, integers of 16 or 8 bits; or spikes, the integers of some "
        "rules (default: the rule's own, else f32, and i16 where a target computes no float32)",
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
    Key("front", front, "learn from features that a front computes of each sample: echo or liquid, reservoirs to which a sample is "
        "played row by row, with options such as echo,segments=1,cells=64; delays, spiking cells whose state goes on from sample to sample "
        "(docs/spiking.md); or a .tflite file, a model that is frozen in the image (docs/import.md)", "KIND,NAME=VALUE,...|MODEL.tflite", path=True, ending=MODEL),
    Key("cut", text, "the tensor of --front MODEL.tflite to learn from: its name or its number; -1: the "
        "input of the model's last dense layer, behind which there is nothing but softmax, "
        "sigmoid, (de)quantisation and reshapes (default: -1)", "TENSOR|-1"),
    Key("steps", whole(1, 2**31), "learning steps (default: one epoch)", "N", int),
    Key("epochs", whole(1, 2**20), "passes over the training part", "N", int),
    Key("lr", positive, "learning rate of the first epoch (default: the rule's)", "RATE", float),
    Key("lr_decay", positive, "multiply the learning rate by FACTOR after each epoch (default: 0.95; 0.7 for more than 256 inputs)", "FACTOR", float),
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
    Key("momentum", below_one, "add the share M of each weight's last change to its next one (0.9 is "
        "usual; for rules that learn by layers' deltas alone)", "M", float),
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
    Key("test", samples, "test samples that the device classifies at the end: all, or the first N (default: 1000, or all that --holdout holds out)", "N",
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
    Key("samples_per_frame", whole(1, 255), "samples in one STEP frame (default: 4, or as many as fit; up to "
        "32 for a process that learns without comparison)", "N", int),
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
