"""Symmetric STDP with winner take all, in whole numbers (Hao et al. 2020, smallest form).

In a tick, in this order: every input draws a word and spikes where its lowest 8 bits are
below x p, p = 8, x in 0..16; V -= V >> 6, traces a -= a >> 4; V_j += W_ij of inputs that
spike, whose a_i = min(a_i + 128, 255); a teacher draws a word; after a spike's rest the cell
with the largest V_j - theta_j, the first of equals, spikes if that is the threshold: V = 0,
theta_j += 100, W_ij = min(W_ij + (8 a_i >> 8), 4095), a_j = 255, outputs' currents += R_jc,
R_jc += 64 a_c >> 8; where the teacher spikes, a_y = 255, R_jy += 64 a_j >> 8. Fewer than 5
spikes: once more from rest with p + 4, up to 16. Then W_ij = W_ij 2^14 div sum_i W_ij of
cells that have spiked, R_jy likewise with 2^16 where its sum is above; every 16th sample
theta -= theta >> 10.

Where a sample says which inputs spike they do, and no word is drawn for them. While there
have been fewer than 5 spikes it goes on with the sample's first tick, all else as it is, up
to `plays` times in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen import streams
from codegen.reference import homeostasis, random
from codegen.reference.machine import Machine
from codegen.reference.operations import Limits
from codegen.reference.spikes import Whole, wrapped
from codegen.spec import Network, Spec

I64 = NDArray[np.int64]
Parameters = Mapping[str, str | float]


@dataclass
class Heard:
    """What a presentation came to: currents [classes], its spikes as (tick, cell), how
    many of inputs, and the words it has drawn."""

    currents: I64
    spikes: list[tuple[int, int]]
    came: int
    words: int


def state(network: Network, seed: int, parameters: Parameters) -> dict[str, Any]:
    """Synapses are 0..511 at first, and nobody has been heard."""
    n_in, cells = network.shape(1)
    words = random.u32(seed, streams.weights(1), 0, n_in * cells)
    rates = {"rate": np.zeros(cells, np.int32)} if homeostasis.on(parameters) else {}
    return {
        "W1": (words >> 23).astype(np.int16).reshape(n_in, cells),
        "W2": np.zeros((cells, network.n_out), np.int32),
        "theta": np.zeros(cells, np.int32),
        **rates,
        "counter": np.zeros(1, np.uint32),
        "samples": np.zeros(1, np.uint32),
    }


def held(network: Network, parameters: Parameters) -> dict[str, Limits]:
    """Of a cell's synapses each is no more than their sum; of an output's likewise, or
    votes are counted up to 2^24. A threshold of 2^30 loses more in 16 samples than it gains."""
    votes = parameters["labels"] == "votes"
    most = {"W1": 1 << 14, "W2": 1 << (24 if votes else 16), "theta": 1 << 30}
    found = {name: (np.float32(0), np.float32(end)) for name, end in most.items()}
    if homeostasis.on(parameters):
        ends = homeostasis.limits(float(parameters["threshold"]), True)
        found |= dict(zip(("rate", "theta"), ends, strict=True))
    return found


def bounds(spec: Spec, parameters: Parameters) -> Iterator[Whole]:
    """Of every step from any state within `held`, whatever comes."""
    (n_in, cells), ticks = spec.network.shape(1), int(parameters["ticks"])
    spikes = -(-ticks // (int(parameters["rest"]) + 1))  # of a presentation
    if spec.inputs.raster is None:
        most, shown = 3 * spikes, 3 * ticks
    else:  # currents are of all that is played, of which all but the last has 4 at most
        spikes = most = 4 + spikes
        shown = ticks = ticks * int(parameters["plays"])
    teacher = parameters["labels"] == "teacher"
    rise, (lowest, highest) = 100 * most, (0, 1 << 30)
    yield Whole("W1", "grows, then its share of 2^14", 0, 1 << 14)
    drive = n_in << 14
    u1 = min(ticks * drive, 64 * drive + 63)
    yield Whole("u1", "leaks, and adds what comes", 0, u1)
    if homeostasis.on(parameters):
        ends = homeostasis.limits(float(parameters["threshold"]), True)
        (_, most), (lowest, highest) = ((int(a), int(b)) for a, b in ends)
        yield Whole("rate", "follows a sample's spikes", 0, most)
        yield Whole("theta", "follows the rate, within its limits", lowest, highest)
    else:  # 16 samples add less than fading takes from 2^30
        highest += 16 * rise
        yield Whole("theta", "rises, and fades", lowest, highest)
    yield Whole("v-theta", "potential less threshold", -highest - rise, u1 - lowest)
    if not teacher:
        yield Whole("W2", "counts votes, to 2^24", 0, 1 << 24)
        yield Whole("current", "counts spikes", 0, spikes)
        return
    more = 63 * (most + shown)  # of a synapse in a sample
    yield Whole("W2", "grows, then its share of 2^16", 0, 1 << 16)
    yield Whole("current", "sum of W2 over spikes", 0, spikes * ((1 << 16) + more))
    loud = (cells << 16) + min(cells, most) * more
    yield Whole("sum W2", "of a class, which is shared", 0, loud, (1 << 30) - 1)


def look(machine: Machine[Any], x: I64) -> I64:
    """Presentations from which nothing is learned; returns the currents."""
    machine.begin(x)
    return _presented(machine, x, None)[-1].currents


def step(machine: Machine[Any], x: I64, t: I64, eta: np.float32) -> None:
    """One step; the loss is 1 where another class has more current, else 0."""
    machine.begin(x)
    label = int(t.argmax())
    shown = _presented(machine, x, label)
    machine.trace["p"] = shown[-1].currents
    machine.trace["current"] = shown[-1].currents.astype(np.int32)
    machine.loss = np.float32(shown[-1].currents.argmax() != label)
    _settle(machine, label, [cell for one in shown for _, cell in one.spikes])


def _presented(machine: Machine[Any], x: I64, label: int | None) -> list[Heard]:
    """Every presentation of a sample, or every time that its spikes are played."""
    given, found = machine.spec.inputs.raster is not None, list[Heard]()
    cells = _Cells(machine, label, x.shape[-1])
    for p in range(int(machine.parameters["plays"])) if given else (8, 12, 16):
        words = sum(one.words for one in found)
        if given:
            found.append(cells.hear(x != 0, *_taught(machine, words, cells.taught)))
        else:
            cells = _Cells(machine, label, x.size)
            found.append(cells.hear(*_drawn(machine, x, p, words, cells.taught)))
        if len(cells.spikes) >= 5:
            break
    cells.enter()
    if label is not None:
        counter = machine.state["counter"]
        machine.state["counter"] = counter + np.uint32(sum(o.words for o in found))
    return found


def _below(x: I64, scale: float, p: int) -> I64:
    """What a word's lowest 8 bits must be below."""
    share = Fraction(16) / Fraction(scale)
    shift = min(max(share.denominator.bit_length() - 1, 0), 16)
    if share.denominator != 1 << shift:
        shift = 16
    factor = int(share * 2**shift + Fraction(1, 2))
    return (x * (factor * p)) >> shift


def _words(machine: Machine[Any], first: int, count: int) -> NDArray[np.int64]:
    """The lowest 8 bits of so many words, from number `first` of this step's on."""
    start = (int(machine.state["counter"][0]) + first) & 0xFFFFFFFF
    words = random.u32(machine.seed, streams.SPIKES, start, count)
    return (words & np.uint32(255)).astype(np.int64)


def _drawn(
    machine: Machine[Any], x: I64, p: int, first: int, teaches: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], int]:
    """Spikes of inputs [ticks, n_in] and of the teacher [ticks], and how many words."""
    ticks, each = int(machine.parameters["ticks"]), x.size + teaches
    low = _words(machine, first, ticks * each).reshape(ticks, each)
    spikes = low[:, : x.size] < _below(x, machine.spec.inputs.scale, p)
    return spikes, low[:, -1] < 51 if teaches else np.zeros(ticks, bool), low.size


def _taught(
    machine: Machine[Any], first: int, teaches: bool
) -> tuple[NDArray[np.bool_], int]:
    """Spikes of the teacher alone [ticks], and how many words."""
    ticks = int(machine.parameters["ticks"])
    if not teaches:
        return np.zeros(ticks, bool), 0
    return _words(machine, first, ticks) < 51, ticks


def _traces(spikes: NDArray[np.bool_], trace: I64) -> I64:
    """What is remembered of inputs after each tick, [ticks, n_in], `trace` before."""
    found = np.empty(spikes.shape, np.int64)
    for tick, came in enumerate(spikes):
        trace = trace - (trace >> 4)
        trace = np.minimum(trace + 128 * came, np.where(came, 255, trace))
        found[tick] = trace
    return found


class _Cells:
    """Cells that compete, at rest at first, and the outputs that hear them; `spikes` are
    all so far, as (tick, cell)."""

    def __init__(self, machine: Machine[Any], label: int | None, n_in: int) -> None:
        self.machine, self.learns = machine, label is not None
        self.taught = self.learns and machine.parameters["labels"] == "teacher"
        self.outputs = _Outputs(machine, label)
        self.w, self.theta = machine.state["W1"], machine.state["theta"]
        self.v, self.rest = np.zeros(self.w.shape[1], np.int64), 0
        self.remembers = self.learns and _learn(machine)
        self.trace = np.zeros(n_in, np.int64)
        self.spikes: list[tuple[int, int]] = []

    def hear(
        self, spikes: NDArray[np.bool_], teacher: NDArray[np.bool_], words: int
    ) -> Heard:
        """So many ticks of inputs [ticks, n_in] and of a teacher [ticks]."""
        self.drive = np.rint(spikes.astype(np.float64) @ self.w.astype(np.float64))
        before, seen = len(self.spikes), _Seen(len(spikes), self.v.size)
        traces = _traces(spikes, self.trace) if self.remembers else None
        for tick in range(len(spikes)):
            self.v = wrapped(self.v - (self.v >> 6) + self.drive[tick].astype(np.int64))
            seen.membranes.append(self.v.copy())
            self.outputs.forget()
            if self.rest > 0:
                self.rest -= 1
            elif (cell := self._winner()) is not None:
                self.spikes.append((tick, cell))
                seen.raster[tick] = cell
                self._spike(tick, cell, spikes, traces)
            if teacher[tick]:
                self.outputs.teach()
            seen.remembered.append(self.outputs.of_cells.copy())
        self.trace = self.trace if traces is None else traces[-1]
        seen.enter(self.machine, self.v)
        new = self.spikes[before:]
        return Heard(self.outputs.currents, new, int(spikes.sum()), words)

    def _winner(self) -> int | None:
        above = wrapped(self.v - self.theta)
        cell = int(above.argmax())
        reached = above[cell] >= int(self.machine.parameters["threshold"])
        return cell if reached else None

    def _spike(
        self, tick: int, cell: int, spikes: NDArray[np.bool_], traces: I64 | None
    ) -> None:
        """A cell spikes, and has learned before anybody hears of it."""
        w = self.w
        self.v[:] = 0
        self.rest = int(self.machine.parameters["rest"])
        self.theta[cell] += 100 * self.learns
        if traces is not None:
            w[:, cell] = np.minimum(w[:, cell] + ((8 * traces[tick]) >> 8), 4095)
            later = spikes[tick + 1 :]
            self.drive[tick + 1 :, cell] = later @ w[:, cell].astype(np.int64)
        self.outputs.hear(cell)

    def enter(self) -> None:
        """What is remembered enters the trace."""
        if self.remembers:
            self.machine.trace["ax"] = self.trace.astype(np.uint8)
        self.outputs.enter()


class _Seen:
    """Who spikes in each tick, potentials [cells], and what is remembered of cells."""

    def __init__(self, ticks: int, cells: int) -> None:
        self.raster = np.full((ticks, 1), cells, np.uint16)
        self.membranes: list[I64] = []
        self.remembered: list[I64] = []

    def enter(self, machine: Machine[Any], v: I64) -> None:
        """The trace knows the last ticks that were shown."""
        cells = self.raster[self.raster < v.size].astype(np.int64)
        spiked = np.bincount(cells, minlength=v.size)
        machine.trace |= {"raster": self.raster, "u1": v.astype(np.int32), "h1": spiked}
        if machine.parameters["trace"] == "membranes":
            machine.trace["trace_u1"] = np.array(self.membranes, np.int32)
            machine.trace["trace_a1"] = np.array(self.remembered, np.uint8)


def promises(machine: Machine[Any], trace: Mapping[str, Any]) -> dict[str, list[float]]:
    """Of an answer with the state before the step: `rate`, the spikes a cell and tick;
    `synaptic`, the synaptic operations of each layer, a spike to a cell; `presented`, how
    often the sample was."""
    shown = _presented(machine, machine.trace["x"], None)
    (cells, classes), ticks = (
        machine.state["W2"].shape,
        int(machine.parameters["ticks"]),
    )
    came, spikes = sum(o.came for o in shown), sum(len(o.spikes) for o in shown)
    return {
        "rate": [spikes / (len(shown) * ticks * cells)],
        "synaptic": [float(came * cells), float(spikes * classes)],
        "presented": [float(len(shown))],
    }


class _Outputs:
    """Classes, which hear cells: by synapses that a teacher makes, or by votes."""

    def __init__(self, machine: Machine[Any], label: int | None) -> None:
        self.machine, self.label = machine, label
        self.r = machine.state["W2"]
        cells, classes = self.r.shape
        self.currents = np.zeros(classes, np.int64)
        self.of_cells, self.of_classes = (
            np.zeros(n, np.int64) for n in (cells, classes)
        )
        self.taught = machine.parameters["labels"] == "teacher"

    def forget(self) -> None:
        """A tick begins."""
        if self.taught and self.label is not None:
            self.of_cells -= self.of_cells >> 4
            self.of_classes -= self.of_classes >> 4

    def hear(self, cell: int) -> None:
        """A cell has spiked."""
        if not self.taught:
            self._vote(cell)
            return
        self.currents += self.r[cell]
        if self.label is not None:
            self.of_cells[cell] = 255
            self.r[cell] += ((64 * self.of_classes) >> 8).astype(np.int32)

    def _vote(self, cell: int) -> None:
        votes = self.r[cell]
        if votes.max() > 0:
            self.currents[votes.argmax()] += 1
        if self.label is not None:
            votes[self.label] = min(int(votes[self.label]) + 1, 1 << 24)

    def teach(self) -> None:
        """The teacher has spiked."""
        self.of_classes[self.label] = 255
        more = ((64 * self.of_cells) >> 8).astype(np.int32)
        self.r[:, self.label] = np.minimum(self.r[:, self.label] + more, 1 << 24)

    def enter(self) -> None:
        """What is remembered enters the trace."""
        if self.taught and self.label is not None:
            told = {"ah1": self.of_cells, "ap": self.of_classes}
            self.machine.trace |= {n: t.astype(np.uint8) for n, t in told.items()}


def _settle(machine: Machine[Any], label: int, spikes: list[int]) -> None:
    """The sample is over."""
    w, r, samples = (machine.state[name] for name in ("W1", "W2", "samples"))
    fired = set(spikes)
    for cell in sorted(fired) if _learn(machine) else ():
        total = int(w[:, cell].sum(dtype=np.int64))
        if total > 0:
            w[:, cell] = w[:, cell].astype(np.int64) * 16384 // total
    heard = int(r[:, label].sum(dtype=np.int64))
    if machine.parameters["labels"] == "teacher" and heard > 65536:
        r[:, label] = r[:, label].astype(np.int64) * 65536 // heard
    samples += np.uint32(1)
    if samples[0] % 16 == 0:
        machine.state["theta"] -= machine.state["theta"] >> 10
    if homeostasis.on(machine.parameters):
        count = np.bincount(np.array(spikes, int), minlength=w.shape[1])
        homeostasis.of_spikes(machine, count, "threshold")
    machine.changed = {1: len(fired) * len(w) * _learn(machine), 2: len(r)}


def _learn(machine: Machine[Any]) -> bool:
    """Whether cells learn: else their synapses stay as they are."""
    return machine.parameters["cells"] == "learn"
