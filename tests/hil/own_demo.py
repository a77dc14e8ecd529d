"""A small demo of a user's own, for tests: its two files, and changes of them."""

from __future__ import annotations

from pathlib import Path

TOML = """\
title = "Two small worlds"
[experiment]
target = "host"
network = "64-16-10"
lr = 0.05
[arms.learning]
[arms.frozen]
freeze = "one"
[arms.later]
after = "learning"
rule = "readout"
[metrics]
learning = "the second world, learned"
frozen = "the second world, not learned"
later_recovery_steps = "steps until it was as good again"
"""
PAGE = """\
from hil import datasets
from hil.demo import Part, Stream

def streams(seed):
    d = datasets.load("digits")
    test = d.test_x[:60], d.test_y[:60]
    parts = [Part("one", d.train_x[:40], d.train_y[:40], test),
             Part("two", d.train_x[40:90], d.train_y[40:90], test)]
    return {"digits": Stream(parts, d.inputs.scale)}

def metrics(arms, streams):
    return {"learning": arms["learning"].test("two", after="two"),
            "frozen": arms["frozen"].test("two", after="two"),
            "later_recovery_steps": arms["later"].recovery("two")}

def verdict(metrics):
    return f"{metrics['learning']:.0%} and {metrics['frozen']:.0%}"
"""


def write(folder: Path) -> Path:
    """Both files, `own.toml` and `own.py`; the path of the first."""
    (folder / "own.toml").write_text(TOML, encoding="utf-8")
    (folder / "own.py").write_text(PAGE, encoding="utf-8")
    return folder / "own.toml"


def edited(path: Path, old: str, new: str) -> Path:
    """A file with one text, which must be there, replaced by another."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path
