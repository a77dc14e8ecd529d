"""Parameters of rules: their names, types and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen.errors import SpecError

Parameters = Mapping[str, str | float]
"""Values by the names of a rule's parameters, every one there."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a rule: its default also fixes its type. A whole number is at
    least 1 and at most `most`; another number lies `within` its limits, where it has
    some. One that `watches` changes what can be read and nothing that is learned. One
    that came `later` was added to a rule that had users: its default is what the rule
    did before."""

    name: str
    default: str | float
    meaning: str
    choices: tuple[str, ...] = ()
    most: int = 1 << 16
    within: tuple[float, float] | None = None
    watches: bool = False
    later: bool = False

    def tells(self, value: str | float) -> bool:
        """Whether a state learned with this value is another's: a checkpoint knows."""
        return not (self.watches or (self.later and value == self.default))

    @property
    def schema(self) -> dict[str, object]:
        """What `check` takes, as JSON Schema."""
        said = {"description": self.meaning, "default": self.default}
        if isinstance(self.default, int):
            return {**said, "type": "integer", "minimum": 1, "maximum": self.most}
        return {
            **said,
            **({"enum": self.choices} if self.choices else {"type": "number"}),
        }

    def check(self, rule: str, value: object) -> str | float:
        """`value` as this parameter's type; raises `SpecError`."""
        if isinstance(self.default, int):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 1 <= value <= self.most:  # type: ignore[operator]
                raise SpecError(
                    f"rule {rule!r} has {self.name} = {value!r}: expected a whole "
                    f"number from 1 to {self.most}"
                )
            return value  # type: ignore[return-value]
        if self.choices:
            if value not in self.choices:
                raise SpecError(
                    f"rule {rule!r} has {self.name} = {value!r}: expected one of "
                    + ", ".join(self.choices)
                )
            return str(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SpecError(
                f"rule {rule!r} has {self.name} = {value!r}: expected a number"
            )
        if self.within is not None and not self.within[0] <= value <= self.within[1]:
            least, most = self.within
            raise SpecError(
                f"rule {rule!r} has {self.name} = {value!r}: expected a number from "
                f"{least:g} to {most:g}"
            )
        return float(value)
