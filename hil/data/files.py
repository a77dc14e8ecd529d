"""Where data files are that are not part of the package.

In $HIL_DATA, in a folder for each set; without it those that may be had freely are
downloaded once into the user's cache, checked by SHA-256.
"""

from __future__ import annotations

import os
from pathlib import Path

from hil.errors import DataError

VARIABLE = "HIL_DATA"


def located(
    folder: str, name: str, url: str = "", sha256: str = "", why_not: str = ""
) -> Path:
    """The file `name` of the data set that has this folder. Where $HIL_DATA is not set
    it is downloaded from `url`; without one the user has to get it, and is told
    `why_not`. Raises `DataError`."""
    root = os.environ.get(VARIABLE)
    if not root and url:
        return _fetched(folder, name, url, sha256)
    path = Path(root or "") / folder / name
    if root and path.is_file():
        return path
    found = f"there is no {str(path)!r}" if root else f"{VARIABLE} is not set"
    otherwise = why_not or "unset it to download the files instead"
    raise DataError(
        f"data set {folder!r}: {found}",
        f"{VARIABLE} must name the folder that holds {folder}/; {otherwise}",
    )


def _fetched(folder: str, name: str, url: str, sha256: str) -> Path:
    import logging

    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    cache = Path(pooch.os_cache("hil")) / folder
    try:
        found = pooch.retrieve(
            url, known_hash=f"sha256:{sha256}", fname=name, path=cache
        )
    except Exception as error:  # whatever the network library raises
        raise DataError(
            f"data set {folder!r}: {name} could not be downloaded "
            f"({type(error).__name__})",
            f"put the files of {folder} into a folder of that name and set {VARIABLE} to "
            "its parent",
        ) from error
    return Path(found)
