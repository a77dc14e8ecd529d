"""What keys of an experiment say together and cannot: one table for its check and for
its schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.checker import Schema


@dataclass(frozen=True)
class Given:
    """A key that says something: a value other than `unset`, or `only` this one.
    `holds` False: it says nothing."""

    key: str
    unset: Any = None
    only: Any = None
    holds: bool = True

    def of(self, values: Mapping[str, Any]) -> bool:
        """Whether it is so of an experiment's fields."""
        value = values[self.key]
        if self.only is not None:
            return bool(value == self.only) is self.holds
        return (value not in (None, self.unset)) is self.holds

    @property
    def schema(self) -> Schema:
        """The same of a table of keys."""
        value = {"const": self.only} if self.only else {"not": {"const": self.unset}}
        given = {"required": [self.key], "properties": {self.key: value}}
        return given if self.holds else {"not": given}


@dataclass(frozen=True)
class Clash:
    """Things that cannot all be so; `why` is the sentence, with fields in {braces}."""

    why: str
    things: tuple[Given, ...]
    hints: tuple[str, ...] = ()

    def of(self, values: Mapping[str, Any]) -> bool:
        """Whether it is there, in an experiment's fields."""
        return all(thing.of(values) for thing in self.things)

    @property
    def schema(self) -> Schema:
        """That it is not there."""
        return {"not": {"allOf": [thing.schema for thing in self.things]}}


CLASHES = (
    Clash(
        "cut is {cut!r}, but there is no front to cut: expected both or neither",
        (Given("cut"), Given("front", holds=False)),
        ("--front MODEL.tflite is the model",),
    ),
    Clash(
        "init is 'model', but there is no front whose model it could be",
        (Given("init", only="model"), Given("front", holds=False)),
        ("--front MODEL.tflite is the model; a file of that name is ./model",),
    ),
    Clash(
        "init is 'model' and scaler is {scaler!r}: expected one of them, for the model's own "
        "head takes features as they are",
        (Given("init", only="model"), Given("scaler")),
    ),
    Clash(
        "steps = {steps} and epochs = {epochs}: expected one of them",
        (Given("steps"), Given("epochs")),
    ),
    Clash(
        "schedule is {schedule!r} and tuned is {tuned!r}: expected one of them, for both "
        "say how layers are computed",
        (Given("schedule", unset="auto"), Given("tuned")),
    ),
    Clash(
        "instructions = {instructions} and cycles = {cycles}: expected one budget of a "
        "step",
        (Given("instructions"), Given("cycles")),
    ),
    Clash(
        "health is computed by the reference, but compare is 'none': expected one of them",
        (Given("health"), Given("compare", only="none")),
    ),
    Clash(
        "prefix is {prefix} and compare is 'none': expected one of them",
        (Given("prefix"), Given("compare", only="none")),
        ("compare is how often the digest is compared within the prefix",),
    ),
    Clash(
        "thin is {thin}, but no sample is resident: expected both or neither",
        (Given("thin"), Given("resident", unset=0, holds=False)),
        ("--resident places the training samples in the image",),
    ),
    Clash(
        "rehearse is {rehearse}, but no sample is kept: expected both or neither",
        (Given("rehearse"), Given("rehearsal", holds=False)),
        ("--rehearsal SLOTS has the device keep samples",),
    ),
    Clash(
        "rehearse_what is {rehearse_what!r}, but no sample is kept: expected both or neither",
        (Given("rehearse_what"), Given("rehearsal", holds=False)),
        ("--rehearsal SLOTS has the device keep samples",),
    ),
    Clash(
        "rehearse_what is 'features', but there is no front to make any: expected samples",
        (Given("rehearse_what", only="features"), Given("front", holds=False)),
        ("--front MODEL.tflite is a front",),
    ),
    Clash(
        "rehearsal is {rehearsal} and resident is {resident!r}: expected one of them, for "
        "a resident sample is there to be learned again already",
        (Given("rehearsal"), Given("resident", unset=0)),
    ),
    Clash(
        "rehearsal is {rehearsal} and commit is {commit}: expected one of them, for a "
        "checkpoint does not hold the samples that the device keeps",
        (Given("rehearsal"), Given("commit")),
    ),
    Clash(
        "chunk is {chunk} and resident is {resident!r}: expected one of them, for a resident "
        "sample does not travel",
        (Given("chunk"), Given("resident", unset=0)),
    ),
    Clash(
        "chunk is {chunk} and rehearsal is {rehearsal}: expected one of them",
        (Given("chunk"), Given("rehearsal")),
    ),
    Clash(
        "chunk is {chunk} and samples_per_frame is {samples_per_frame}: expected one sample, "
        "for the device puts one at a time together",
        (Given("chunk"), Given("samples_per_frame", unset=1)),
    ),
)
