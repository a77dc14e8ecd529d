"""Templates that Jinja has compiled before, kept in the cache beside images.

To parse and compile its templates takes longer than all else that an image from the
cache needs. What is kept is Python's bytecode, under a digest of all that takes part
in making it: the template's text, Jinja itself, its settings, and the modules of the
filters, which Jinja applies to constants while it compiles. An entry is whole or it is
not used, as an image is; that it could not be kept is no error.
"""

from __future__ import annotations

import hashlib
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket

from codegen.building import cache
from targets import storage
from targets.errors import StorageError

_DIGEST = hashlib.sha256().digest_size


class Compiled(jinja2.BytecodeCache):
    """The compiled templates of environments as this one, which is complete when its
    first template is asked for."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was kept of a template, if it is there and whole."""
        with suppress(OSError):
            kept = self._place(bucket).read_bytes()
            digest, code = kept[:_DIGEST], kept[_DIGEST:]
            if hashlib.sha256(code).digest() == digest:
                bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template, where it can be written."""
        code = bucket.bytecode_to_string()
        place = self._place(bucket)
        with suppress(OSError, StorageError):
            place.parent.mkdir(parents=True, exist_ok=True)
            storage.write(place, hashlib.sha256(code).digest() + code)

    def _place(self, bucket: Bucket) -> Path:
        parts = (self._makers, bucket.key, bucket.checksum)
        name = hashlib.sha256(" ".join(parts).encode()).hexdigest()
        return cache.folder() / "templates" / name[:32]

    @cached_property
    def _makers(self) -> str:
        """Digest of what compiles: Jinja, its settings, the modules of filters."""
        of, plain = self._environment, (bool, int, str, type(None))
        settings = {
            n: value for n, value in vars(of).items() if isinstance(value, plain)
        }
        names = {each.__module__ for each in of.filters.values()}
        found = {getattr(sys.modules[name], "__file__", None) for name in names}
        files = {file for file in found if file is not None}
        files |= {str(file) for file in Path(jinja2.__file__).parent.glob("*.py")}
        sha = hashlib.sha256(repr(sorted(settings.items())).encode())
        for file in sorted(files):
            sha.update(Path(file).read_bytes())
        return sha.hexdigest()
