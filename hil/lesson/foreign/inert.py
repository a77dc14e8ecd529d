"""What a pickle says, without doing it.

A pickle is a program: `pickle.load` and `joblib.load` import and call what it names.
Here its words are read by `pickletools`, which executes nothing, and a name stays a
name: what the program would call is kept as a `Made`, with its arguments. No more than
the words that lists, texts, numbers and arrays need are known. Of arrays of numpy, also
those that joblib puts between the words, the elements are read.
"""

from __future__ import annotations

import io
import math
import pickletools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hil.lesson.foreign.room import Room

WORDS = 200_000
"""Words of a pickle at most: a short one may make a large list."""
KEYS = (str, int, float, bool, bytes, type(None))
"""Of what type a key may be: one that is nested could be as deep as a file is long."""
NESTED = 4
"""How deep pickles may lie in pickles, as joblib has arrays of objects."""
ELEMENT = re.compile(r"([biufUSO])(\d{1,6})")
"""numpy's name of an element."""
ORDERS = ("<", ">", "=", "|")
"""numpy's names of an order of bytes."""
AXES, LENGTH = 4, 1 << 31
"""Axes of an array at most; its lengths are less."""
JOBLIB = "joblib.numpy_pickle.NumpyArrayWrapper"
RECONSTRUCTED = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")  # fmt: skip
FROM_BUFFER = ("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")
ORDERED = "collections.OrderedDict"
ENCODED = "_codecs.encode"
"""How protocol 2 writes bytes: as a text that is to be encoded."""


@dataclass(frozen=True)
class Name:
    """A function or a class that a pickle names."""

    text: str


@dataclass(frozen=True)
class Named:
    """What a pickle leaves to its reader to find, by this key."""

    key: Any


@dataclass(eq=False)
class Made:
    """What a pickle would make by calling `name`. `array`: the elements, if it is an
    array of numbers or texts."""

    name: str
    given: tuple[Any, ...]
    state: Any = None
    array: np.ndarray | None = field(default=None, repr=False)


def read(data: bytes, room: Room) -> Any:
    """What a pickle of these bytes holds. Raises `ValueError`, with a reason, and
    `DataError` where `room` is too small for it."""
    try:
        return _Machine(io.BytesIO(data), NESTED, room).run()
    except RecursionError:
        raise ValueError("its pickles are nested too deeply") from None
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"it is damaged ({type(error).__name__})") from error


class _Machine:
    """The stack machine that pickle's words are for."""

    def __init__(self, stream: io.BytesIO, nested: int, room: Room) -> None:
        self._stream, self._nested, self._room = stream, nested, room
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        for count, (word, given, _) in enumerate(self._words()):
            if count > WORDS:
                raise ValueError(f"it has more than {WORDS:,} words")
            if word.name == "STOP":
                return self._stack.pop()
            if word.name not in DOES:
                raise ValueError(f"it has the word {word.name}, which no weights need")
            DOES[word.name](self, given)
        raise ValueError("it ends too early")

    def _words(self) -> Iterator[tuple[Any, Any, Any]]:
        return iter(pickletools.genops(self._stream))

    def skip(self, given: Any) -> None:
        """A word that says how the file is laid out."""

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def mark(self, given: Any) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _last(self, count: int) -> tuple[Any, ...]:
        items = tuple(self._stack[len(self._stack) - count :])
        if len(items) != count:
            raise ValueError("it takes more from its stack than there is")
        del self._stack[len(self._stack) - count :]
        return items

    def tuple_of(self, count: int) -> None:
        self.push(self._last(count))

    def tuple_since_mark(self, given: Any) -> None:
        items = tuple(self._since_mark())
        self.push(items)

    def keep(self, place: int | None) -> None:
        self._memo[len(self._memo) if place is None else place] = self._stack[-1]

    def recall(self, place: int) -> None:
        self.push(self._memo[place])

    def name(self, given: str) -> None:
        self.push(Name(given.replace(" ", ".", 1)))

    def name_of_two(self, given: Any) -> None:
        module, name = (_require(text, str) for text in self._last(2))
        self._room.take(len(module) + len(name))
        self.push(Name(f"{module}.{name}"))

    def found_by(self, given: Any) -> None:
        self.push(Named(self._stack.pop()))

    def call(self, given: Any) -> None:
        called, arguments = self._last(2)
        _require(arguments, tuple)
        if called.text == ORDERED and not arguments:
            return self.push({})
        if called.text == ENCODED and arguments[1:2] == ("latin1",):
            return self.push(self._encoded(*arguments))
        made = Made(called.text, arguments)
        if called.text in FROM_BUFFER:
            data, element, shape, order = arguments
            made.array = self._array(data, element, shape, order == "F")
        return self.push(made)

    def _encoded(self, text: str, encoding: str) -> bytes:
        """Of a text that may have been recalled, and so be made bytes many times."""
        self._room.take(len(_require(text, str)))
        return text.encode(encoding)

    def _array(
        self, data: bytes, made: Made, shape: tuple[int, ...], fortran: bool
    ) -> np.ndarray:
        """An array in this computer's order of bytes, contiguous."""
        size, element = _size(made, shape), _element(made)
        if element.hasobject or size != len(data):
            raise ValueError(f"it has an array {list(shape)} of {len(data):,} bytes")
        self._room.take(size)
        found = np.frombuffer(data, element)
        found = found.reshape(shape[::-1]).T if fortran else found.reshape(shape)
        return np.ascontiguousarray(found, element.newbyteorder("="))

    def build(self, given: Any) -> None:
        state = self._stack.pop()
        made = self._stack[-1]
        if isinstance(made, dict):
            return  # attributes of an OrderedDict, such as torch's versions
        made.state = state
        if made.name in RECONSTRUCTED:
            _, shape, element, fortran, data = state
            if isinstance(data, bytes):
                made.array = self._array(data, element, shape, bool(fortran))
        elif made.name == JOBLIB:
            self._read_array(made, state)

    def _read_array(self, made: Made, state: Mapping[str, Any]) -> None:
        """The array whose bytes joblib writes behind the words that describe it."""
        if _element(state["dtype"]).hasobject:
            if not self._nested:
                raise RecursionError
            _Machine(self._stream, self._nested - 1, self._room).run()
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self._stream.read(self._stream.read(1)[0])
        element, shape = state["dtype"], state["shape"]
        data = self._stream.read(_size(element, shape))
        made.array = self._array(data, element, shape, state["order"] == "F")

    def append(self, given: Any) -> None:
        item = self._stack.pop()
        _require(self._stack[-1], list).append(item)

    def append_since_mark(self, given: Any) -> None:
        items = self._since_mark()
        _require(self._stack[-1], list).extend(items)

    def set_item(self, given: Any) -> None:
        self._set(self._last(2))

    def set_since_mark(self, given: Any) -> None:
        self._set(self._since_mark())

    def _set(self, items: list[Any] | tuple[Any, ...]) -> None:
        keys, values = items[::2], items[1::2]
        if not all(type(key) in KEYS for key in keys):
            raise ValueError("it has a key that is neither a text nor a number")
        _require(self._stack[-1], dict).update(zip(keys, values, strict=True))


Does = Callable[[_Machine, Any], None]
DOES: dict[str, Does] = {
    **dict.fromkeys(("PROTO", "FRAME"), _Machine.skip),
    **dict.fromkeys(
        ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES",
         "BINBYTES8", "BYTEARRAY8", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        _Machine.push),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "TUPLE": _Machine.tuple_since_mark,
    "MARK": _Machine.mark,
    **dict.fromkeys(("MEMOIZE", "BINPUT", "LONG_BINPUT"), _Machine.keep),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.recall),
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name_of_two,
    "BINPERSID": _Machine.found_by,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.call),
    "BUILD": _Machine.build,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.append_since_mark,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_since_mark,
}  # fmt: skip
"""Word -> what it does. Protocols 2 to 5, as far as weights need them."""


def _require(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"it uses a {type(value).__name__} as if it were a {kind.__name__}")  # fmt: skip
    return value


def _element(made: Made) -> np.dtype:
    """The dtype that numpy's own words describe. Nothing but a text is ever made one: a
    few tuples that hold each other would fill the memory."""
    if made.name != "numpy.dtype":
        raise ValueError("it has an array whose elements have no type")
    text = _require(made.given[0], str)
    known = ELEMENT.fullmatch(text)
    if known is None:
        raise ValueError(f"it has an array of elements {text[:20]!r}")
    order = made.state[1] if made.state is not None else "="
    if order not in ORDERS:
        raise ValueError("it has an array of an unknown byte order")
    kind, size = known.groups()
    return np.dtype("O") if kind == "O" else np.dtype(f"{order}{kind}{size}")


def _size(made: Made, shape: tuple[int, ...]) -> int:
    """Bytes of an array of these elements."""
    lengths = type(shape) is tuple and len(shape) <= AXES
    if not lengths or any(type(n) is not int or not 0 <= n < LENGTH for n in shape):
        raise ValueError("it has an array whose shape is no list of lengths")
    return math.prod(shape) * _element(made).itemsize
