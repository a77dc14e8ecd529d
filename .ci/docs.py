"""Makes the documentation a site: docs/*.md as they are, README.md as its first page.

    python .ci/docs.py build/docs

Sphinx with MyST, for MyST reads Markdown as GitHub does, with its anchors (MkDocs, whose
last release is of 2024, reads another dialect). A link that leads nowhere, an anchor that
is not there and a page that README does not name end it with exit code 1.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

ROOT = Path(__file__).resolve().parents[1]
INDEX = "index.md"
SECTION = re.compile(r"^\*(You want .*)\*\n\n((?:\* .*\n(?:  .*\n)*)+)", re.M)
"""A group of pages of README's last chapter, and its list."""
PAGE = re.compile(r"\]\(docs/([\w-]+)\.md\)")
SETTINGS = {
    "extensions": "myst_parser",
    "project": "hil",
    "html_title": "hil",
    "html_theme": "furo",
    "myst_heading_anchors": "6",
    "exclude_patterns": "examples",
}


def pages(folder: Path) -> None:
    """The pages as the site has them, side by side."""
    shutil.copytree(ROOT / "docs", folder)
    shutil.copytree(ROOT / "examples", folder / "examples")
    for path in folder.glob("*.md"):
        text = path.read_text("utf-8").replace("](../README.md", f"]({INDEX}")
        path.write_text(text.replace("](../", "]("), "utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    text = readme.replace("](docs/", "](") + "".join(contents(readme))
    (folder / INDEX).write_text(text, "utf-8")


def contents(readme: str) -> list[str]:
    """The site's contents, in README's groups and order."""
    seen: set[str] = set()
    made = []
    for title, listed in SECTION.findall(readme):
        names = [name for name in PAGE.findall(listed) if name not in seen]
        seen.update(names)
        made.append(f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n")
        made += [f"{name}\n" for name in dict.fromkeys(names)] + ["```\n"]
    return made


def main() -> int:
    """The command."""
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    pages(folder / "pages")
    given = [
        word for key, value in SETTINGS.items() for word in ("-D", f"{key}={value}")
    ]
    words = ["-q", "-C", "-b", "html", "-n", "-W", "--keep-going", *given]
    code = sphinx([*words, str(folder / "pages"), str(folder / "site")])
    if code == 0:
        print(f"docs     {folder / 'site' / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
