"""Looking into a device, and touching what is there: outputs, tensors, its condition.

What does not fit one frame travels in pieces, as many in flight as the device takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee

import numpy as np

from codegen import protocol
from codegen.planning.lif import TAKEN_BYTES
from codegen.tensors import WORD, Tensor
from hil.device.exchange import Exchange, State, malformed
from hil.device.link.transparency import Alteration
from hil.device.replies import Telemetry
from hil.errors import LinkError

COUNT_BYTES = 4
"""Fields of INFER; what travels with it follows them."""
RANGE_BYTES = 8
"""Fields of READ and WRITE, in requests and replies; the words follow them."""
NOTHING = protocol.NEVER, b""
"""What is there of a sample before any part of it is."""


def _words(tail: bytes, count: int, message: protocol.Message) -> np.ndarray:
    """The float32 words of a reply that was to have `count` of them."""
    if len(tail) != 4 * count:
        raise malformed(
            f"a reply to {message.name.upper()}",
            f"{len(tail)} bytes of words, expected {4 * count}",
        )
    return np.frombuffer(tail, "<f4")


class Readable(Exchange):
    """A device that can be looked into, whatever it learns meanwhile."""

    _begun: tuple[int, bytes] = NOTHING
    """The step that is to learn from what was sent in parts last, and these bytes."""

    def infer(self, samples: Sequence[bytes]) -> np.ndarray:
        """Outputs [n, n_out] of `samples` (element bytes); changes nothing."""
        nothing = np.empty((0, self.plan.spec.network.n_out), np.float32)
        return np.concatenate([nothing, *self.inferred(samples)])

    def inferred(self, samples: Sequence[bytes]) -> Iterator[np.ndarray]:
        """The same as it comes, frame by frame: outputs [k, n_out] of the next k."""
        self._need(State.READY)
        network, room = self.plan.spec.network, self.greeting.max_payload
        if not samples:
            return
        sent, answered = len(samples[0]), 4 * network.n_out
        message = protocol.INFER
        if self.plan.chunk is not None:
            for sample in samples:
                self._send_parts(protocol.NEVER, sample, self.plan.chunk)
                ((_, tail),) = self._ask_all(message, [([1], b"")], answered)
                yield _words(tail, network.n_out, message).reshape(1, -1)
            return
        most = (room - 4) // max(sent, answered)
        pieces, asked = tee(self._pieces(message, len(samples), sent + answered, most))
        requests = (([n], b"".join(samples[first : first + n])) for first, n in pieces)
        told = self._ask_all(message, requests, answered)
        for (_, count), (_, tail) in zip(asked, told, strict=True):
            yield _words(tail, count * network.n_out, message).reshape(count, -1)

    def _send_parts(self, step: int, sample: bytes, most: int) -> None:
        """Have the device put a sample together, from parts of at most so many bytes, and
        as long as the line lets through: for `step` to learn from, or (NEVER) for the
        next INFER. What it has of a step's sample already does not travel again. Where it
        fails nothing is left in flight: it can be begun again."""
        (begun, there), self._begun = self._begun, NOTHING
        goes_on = begun == step != protocol.NEVER and sample.startswith(there)
        first = len(there) if goes_on else 0
        pieces = self._pieces(protocol.PART, len(sample) - first, 1, most)
        places = ((first + at, first + at + size) for at, size in pieces)
        asked = (((step, at), sample[at:end]) for at, end in places)
        try:
            for _ in self._ask_all(protocol.PART, asked):
                pass
        except LinkError:
            self._window.drop()
            self._flight.clear()
            raise
        self._begun = step, sample

    def compute(self) -> None:
        """Have an imported model compute what comes out of the inputs that were written,
        over which it writes."""
        self._need(State.READY)
        nothing = [((0,), b"")]
        for _ in self._ask_all(protocol.INFER, nothing, limit=self.limits.step):
            pass

    def stream(self, data: bytes) -> Iterator[bytes]:
        """Have a network that NeuroCoreX's bytes program take `data`, and give what they
        are answered by, as it comes. It takes no more than its answer has room for, so
        it is asked until it has taken all and has nothing more to tell."""
        self._need(State.READY)
        message, at, told = protocol.INFER, 0, b""
        most = self.greeting.max_payload - COUNT_BYTES
        while at < len(data) or told:
            fit = min(most, len(data) - at)
            size = self._window.noise.items(message, 1, fit) if fit else 0
            asked = [((size,), data[at : at + size])]
            ((_, tail),) = self._ask_all(message, asked, limit=self.limits.step)
            taken, told = (
                int.from_bytes(tail[:TAKEN_BYTES], "little"),
                tail[TAKEN_BYTES:],
            )
            if (
                taken > size
                or len(tail) < TAKEN_BYTES
                or not (taken or told or not size)
            ):
                raise malformed(
                    "a reply to INFER", f"it has taken {taken} of {size} bytes"
                )
            at += taken
            yield told

    def plain(self) -> None:
        """Have such a network's line be a plain UART from now on: no frame is known, and
        nothing but a reset leads back. It is asked once: a plain line takes what is sent
        again for its user's bytes. Raises `LinkError` where that has happened."""
        self._need(State.READY)
        self.again, before = self.limits.reply, self.counts.resent
        self._ask(protocol.INFER, protocol.NEVER)
        self.state = State.LEFT
        if self.counts.resent > before:
            raise LinkError(
                "the line is plain, but it loses bytes: what made it plain was sent more "
                "than once, and the device may have taken that for spikes",
                "`hil reset` has the device begin again, and `hil doctor` tries its line",
            )

    def _pieces(
        self, message: protocol.Message, total: int, each: int, most: int
    ) -> Iterator[tuple[int, int]]:
        """(first, count) of one frame's items after the other, of `total`: as many as
        fit, and as the line lets through when they are asked for. `each` is an item's
        bytes in request and reply together."""
        first = 0
        while first < total:
            fit = min(most, total - first)
            count = self._window.noise.items(message, each, fit)
            yield first, count
            first += count

    def _ranges(
        self, message: protocol.Message, tensor: Tensor
    ) -> Iterator[tuple[int, int, int]]:
        """(tensor, count, offset) of one frame's words after the other."""
        most = (self.greeting.max_payload - RANGE_BYTES) // 4
        for first, count in self._pieces(message, tensor.words, 4, most):
            yield tensor.index, count, first

    def read(self, tensor: Tensor) -> np.ndarray:
        """The values of a tensor, in its shape."""
        self._need(State.READY, State.FAULTED)
        message = protocol.READ
        pieces, asked = tee(self._ranges(message, tensor))
        told = self._ask_all(message, ((piece, b"") for piece in pieces), 4)
        parts = [
            _words(tail, count, message).tobytes()
            for (_, count, _), (_, tail) in zip(asked, told, strict=True)
        ]
        return tensor.unpacked(b"".join(parts))

    def write(self, tensor: Tensor, values: np.ndarray) -> None:
        """Replace the values of a state tensor."""
        self._need(State.GREETED, State.READY)
        data = tensor.packed(values)
        asked = (
            (piece, data[WORD * piece[2] : WORD * (piece[2] + piece[1])])
            for piece in self._ranges(protocol.WRITE, tensor)
        )
        for _ in self._ask_all(protocol.WRITE, asked, 0):
            pass

    def digest(self) -> tuple[int, int]:
        """(next step, state digest)."""
        self._need(State.READY, State.FAULTED)
        reply = self._ask(protocol.DIGEST)
        return int(reply["step"]), int(reply["digest"])

    def ping(self) -> Telemetry:
        """How the device is, now."""
        self._need(State.GREETED, State.READY, State.FAULTED)
        return Telemetry(**self._ask(protocol.PING))

    def altered(self) -> Alteration | None:
        """What the line does to bytes that it should leave alone, by an ECHO of every
        byte value; None: nothing that shows. Nothing may be in flight."""
        self._need(State.GREETED, State.READY)
        return self._window.altered()

    def echo(self, payloads: Iterable[bytes]) -> Iterator[bytes]:
        """Each payload back, as many in flight as the device takes."""
        self._need(State.GREETED, State.READY)
        for _, tail in self._ask_all(protocol.ECHO, (((), p) for p in payloads)):
            yield tail
