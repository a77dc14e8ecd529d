"""JSON Schema (draft 2020-12) of each kind of file, made from what checks it.

A schema refuses nothing that hil takes. What needs more than the file itself (whether a
path is there, whether widths fit the data) hil alone checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import targets
from codegen import rules
from codegen.building import toolchain
from codegen.parameters import Parameter
from hil.checker import Schema, either
from hil.demo import file as demos
from hil.device import units
from hil.documents import Table
from hil.experiment import Experiment
from hil.key_rules import CLASHES, Clash
from hil.keys import KEYS, Key
from hil.records import record, run_files
from hil.sweep import cells
from targets.schema import of_target

DRAFT = "https://json-schema.org/draft/2020-12/schema"
PARAMETERS = "parameters"
TEXT = {"type": "string"}


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it is, and what makes the schema of its table."""

    about: str
    make: Callable[[], Schema]

    def schema(self, name: str) -> dict[str, Any]:
        """The whole schema, as a document of its own."""
        return {
            "$schema": DRAFT,
            "title": f"hil {name}",
            "description": self.about,
            **self.make(),
        }


def _experiment() -> Schema:
    tables = {key.table for key in KEYS if key.table}
    found = _table(keys(key for key in KEYS if not key.table))
    for name in sorted(tables):
        inner = _table(keys(key for key in KEYS if key.table == name))
        found["properties"][name] = {**inner, "allOf": _clashes(name)}
    found["properties"][PARAMETERS] = {"type": "object"}  # each rule has its own
    return {**found, "allOf": [*_clashes(""), *map(_parameters_of, rules.names())]}


def _sweep() -> Schema:
    known = {
        name: either(one, {"type": "array", "items": one, "minItems": 1})
        for name, one in keys(KEYS).items()
    }
    parameters = {
        name: either(one, {"type": "array", "items": one, "minItems": 1})
        for name, one in _any_parameters().items()
    }
    known[PARAMETERS] = _table(parameters)
    tables = {"type": "array", "items": _table(known), "minItems": 1}
    return _table({**known, cells.TABLES: tables})


def _demo() -> Schema:
    own = (key for key in KEYS if key.name not in demos.SET)
    known = {**keys(own), PARAMETERS: _table(_any_parameters())}
    experiment = {**_table(known), "allOf": [clash.schema for clash in CLASHES]}
    arm = _table({**known, **dict.fromkeys(demos.OWN, TEXT)})
    tables = {
        "experiment": experiment,
        "arms": {
            "type": "object",
            "propertyNames": {"pattern": f"^{demos.NAME.pattern}$"},
            "additionalProperties": arm,
            "minProperties": 1,
        },
        "metrics": {"type": "object", "additionalProperties": TEXT},
    }
    texts = dict.fromkeys(demos.TEXTS, TEXT)
    lists = {key: {"type": "array", "items": TEXT} for key in demos.LISTS}
    here = {name: tables[name] for name in demos.TABLES}
    return _table({**texts, **lists, **here}, demos.REQUIRED)


def _bench() -> Schema:
    named = either({"const": units.AUTO}, {"pattern": f"[{units.PORT_MARKS}]"})
    return _table(
        {
            "units": {
                "type": "object",
                "propertyNames": {"not": named},
                "additionalProperties": _unit(),
            }
        }
    )


def _unit() -> Schema:
    texts: dict[str, Schema] = {
        key: {"type": "string", "minLength": 1} for key in units.KEYS
    }
    for key, words in {"target": targets.names(), **units.WORDS}.items():
        texts[key] = {"enum": list(words)}
    for key, placeholder in units.PLACEHOLDERS.items():
        pattern = placeholder.replace("{", r"\{").replace("}", r"\}")
        texts[key] = {**texts[key], "pattern": pattern}
    texts["baud"] = {**texts["baud"], "pattern": f"^{units.BAUD}$"}
    described = {"description": " ".join((units.Unit.__doc__ or "").split())}
    loaders = [_with_loader(name, needs) for name, needs in units.LOADERS.items()]
    esp = {"properties": {"chip": {"enum": list(units.ESP_CHIPS)}}}
    return {
        **described,
        **_table(texts, units.REQUIRED),
        "allOf": [*loaders, _if("loader", "esptool", esp)],
    }


def _with_loader(name: str, needs: tuple[str, ...]) -> Schema:
    return _if("loader", name, {"required": list(needs)})


def _if(key: str, value: str, then: Schema) -> Schema:
    """What holds where a key has this value, and is there."""
    this = {"required": [key], "properties": {key: {"const": value}}}
    return {"if": this, "then": then}


def _document(table: Table) -> Schema:
    """A record: what it has, and the number of its schema."""
    found = table.schema
    return {
        **found,
        "required": ["schema", *found["required"]],
        "properties": {"schema": {"const": record.SCHEMA}, **found["properties"]},
    }


def _table(
    properties: Mapping[str, Schema], required: Iterable[str] = ()
) -> dict[str, Any]:
    """A table of these keys and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": dict(properties),
        "additionalProperties": False,
    }


def keys(asked: Iterable[Key]) -> dict[str, Schema]:
    """Keys of an experiment: what each takes, and what it is without being given."""
    words = {
        "target": targets.names(), "rule": rules.names(), "toolchain": toolchain.NAMES,
    }  # fmt: skip
    default = {field.name: field.default for field in fields(Experiment)}
    found: dict[str, Schema] = {}
    for key in asked:
        given = default[key.name]
        found[key.name] = {
            **key.schema,
            **({"enum": list(words[key.name])} if key.name in words else {}),
            **({} if given in (None, MISSING) else {"default": given}),
            **({"minLength": 0} if given == "" else {}),
        }
    return found


def _clashes(table: str) -> list[Schema]:
    """What the keys of this table cannot say together."""
    home = {key.name: key.table for key in KEYS}

    def at_home(clash: Clash) -> bool:
        return all(home[thing.key] == table for thing in clash.things)

    return [clash.schema for clash in CLASHES if at_home(clash)]


def _parameters_of(rule: str) -> Schema:
    """The parameters that there are where an experiment has this rule."""
    table = _table({p.name: p.schema for p in _declared(rule)})
    return {
        "if": {
            "required": [] if rule == Experiment.rule else ["rule"],
            "properties": {"rule": {"const": rule}},
        },
        "then": {"properties": {PARAMETERS: table}},
    }


def _any_parameters() -> dict[str, Schema]:
    """Every rule's parameters; one of several rules is what one of them takes."""
    found: dict[str, list[Schema]] = {}
    for rule in rules.names():
        for parameter in _declared(rule):
            there = found.setdefault(parameter.name, [])
            if parameter.schema not in there:
                there.append(parameter.schema)
    return {
        name: one[0] if len(one) == 1 else either(*one) for name, one in found.items()
    }


def _declared(rule: str) -> Iterable[Parameter]:
    return rules.declaration(rule).parameters


KINDS = {
    "experiment": Kind("an experiment: hil run FILE.toml (docs/commands.md)", _experiment),
    "sweep": Kind("a sweep: hil sweep FILE.toml (docs/sweep.md)", _sweep),
    "demo": Kind("a demo: hil demo FILE.toml (docs/demos.md)", _demo),
    "bench": Kind("the units on a desk: bench.toml (docs/boards.md)", _bench),
    "target": Kind("a model of machine: targets/NAME.toml (docs/adding-a-target.md)", of_target),
    "record": Kind("the record of a run: run.json (docs/record.md)", lambda: _document(run_files.RUN)),
    "demo-record": Kind(
        "the record of a demo: demo.json (docs/record.md)", lambda: _document(run_files.DEMO)
    ),
    "step": Kind("a line of a run's metrics.jsonl (docs/record.md)", lambda: run_files.STEP.schema),
}  # fmt: skip
"""Every kind of file that has a schema, by the name that `hil schema` knows it by."""
