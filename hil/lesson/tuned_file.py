"""A tuned file: what `hil tune` chose, as a person and as `--tuned` read it.

TOML. `[for]` says what the choices are good for; `[layers.N]` has a layer's
`way` and a variant for each kernel that it calls, `[network]` the kernels of
the network as a whole. Everything else tells where the choices come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen import kernels
from codegen.planning.planned import Choice, Plan
from codegen.planning.ways import WAYS
from codegen.spec import Spec
from hil import documents
from hil.errors import UsageError
from targets import Target

ANY = "any"
"""What stands for the VLEN of code that runs on all."""
NETWORK = "network"
"""The table of the kernels that no layer calls."""
WAY = "way"
AGAIN = "`hil tune` with the network, rule and target of this run makes a file for it"


def purpose(spec: Spec, target: Target, vlen: int | None) -> dict[str, Any]:
    """What choices are good for: the table `[for]`."""
    network = spec.network
    found: dict[str, Any] = {
        "network": list(network.layers),
        "activation": network.activation,
        "output": network.output,
        "rule": spec.rule.name,
        "inputs": str(spec.inputs),
        "target": target.name,
    }
    if target.vector is not None:
        found["vlen"] = vlen or ANY
    return found


@dataclass(frozen=True)
class Tuned:
    """The choices in the file `origin`, and what they are good for."""

    origin: str
    purpose: Mapping[str, Any]
    choice: Choice

    def require(self, spec: Spec, target: Target, vlen: int | None) -> None:
        """Raise `UsageError` unless it is for this network, on this target, at
        this VLEN (None: any)."""
        asked = purpose(spec, target, vlen)
        for name in dict.fromkeys((*asked, *self.purpose)):
            mine, other = self.purpose.get(name), asked.get(name)
            if mine != other:
                raise UsageError(
                    f"tuned file {self.origin!r} is for {name} {_words(mine)}, but the "
                    f"experiment has {_words(other)}",
                    AGAIN,
                )
        arch = "rvv" if target.vector else "scalar"
        for variant in self.choice.variants.values():
            if variant.arch != arch:
                raise UsageError(
                    f"tuned file {self.origin!r} chooses {variant.symbol}, but target "
                    f"{target.name} takes {arch} kernels",
                    AGAIN,
                )

    def require_used(self, plan: Plan) -> None:
        """Raise `UsageError` for a choice that `plan` has no use for."""
        for number in self.choice.ways:
            self._require_layer(number, plan)
        calls = {(call.layer, call.key) for call in plan.calls}
        for number, kernel in self.choice.variants:
            if (number, kernel) not in calls:
                self._require_layer(number, plan)
                who = f"layer {number}, {plan.layer(number).way}," if number else "it"
                raise UsageError(
                    f"tuned file {self.origin!r} has a variant of {kernel!r}, which "
                    f"{who} does not call",
                    AGAIN,
                )

    def _require_layer(self, number: int, plan: Plan) -> None:
        if number > len(plan.layers):
            raise UsageError(
                f"tuned file {self.origin!r} has a layer {number}: expected 1 to "
                f"{len(plan.layers)}",
                AGAIN,
            )


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(str, value))
    return "none" if value is None else str(value)


def load(path: str | Path) -> Tuned:
    """The tuned file at `path`. Raises `UsageError`."""
    origin = str(path)
    where = f"tuned file {origin!r}"
    document = documents.toml(documents.read(Path(path), where), where)
    layers = _table(document, "layers", origin)
    made_for = _table(document, "for", origin)
    found: dict[int, str] = {}
    variants: dict[tuple[int, str], kernels.Variant] = {}
    for name in layers:
        number = _number(name, origin)
        for key, value in _table(layers, name, origin).items():
            if key == WAY:
                found[number] = _way(value, number, origin)
            else:
                variants[number, key] = _variant(key, value, origin)
    for key, value in _table(document, NETWORK, origin).items():
        variants[0, key] = _variant(key, value, origin)
    return Tuned(origin, made_for, Choice(found, variants))


def _table(document: Mapping[str, Any], name: str, origin: str) -> Mapping[str, Any]:
    found = document.get(name)
    if not isinstance(found, dict):
        raise UsageError(
            f"tuned file {origin!r} has no table {name!r}: expected [for], [layers.N] "
            f"and [{NETWORK}]",
            "`hil tune` makes such files",
        )
    return found


def _number(name: str, origin: str) -> int:
    if not name.isdecimal() or not int(name):
        raise UsageError(
            f"tuned file {origin!r} has a layer {name!r}: expected a number from 1"
        )
    return int(name)


def _way(value: Any, number: int, origin: str) -> str:
    if value not in WAYS:
        raise UsageError(
            f"tuned file {origin!r} computes layer {number} {value!r}: expected one "
            f"of {', '.join(WAYS)}"
        )
    return str(value)


def _variant(key: str, suffix: Any, origin: str) -> kernels.Variant:
    kernel = key.rpartition("/")[2]
    rows = {row.suffix: row for row in kernels.TABLE if row.kernel.name == kernel}
    if not rows:
        raise UsageError(
            f"tuned file {origin!r} has an unknown kernel {kernel!r}",
            "`hil kernels` lists them",
        )
    if suffix not in rows:
        raise UsageError(
            f"tuned file {origin!r} has an unknown variant {suffix!r} of {kernel!r}: "
            f"expected one of {', '.join(rows)}"
        )
    return rows[suffix]
