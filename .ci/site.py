"""What the site of `docs/` takes from elsewhere: the pages at the root, and its order.

Pages at the repository's root become pages of the site, and links to and from them follow. The menu
is the index by reader, docs/README.md.
"""

import posixpath
import re
from pathlib import Path

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files
from properdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "start.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
SOURCES = {page: name for name, page in PAGES.items()}
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)\s]*)?\))")


def moved(target: str, *, page: str) -> str:
    """Where the site's `page` has to link to for what its source calls `target`."""
    source = SOURCES.get(page) or f"docs/{page}"
    place = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    place = PAGES.get(place) or place.removeprefix("docs/")
    return posixpath.relpath(place, posixpath.dirname(page) or ".")


def on_config(config: ProperDocsConfig) -> ProperDocsConfig:
    """Make the menu of the index: a part for each heading, a page for each line below it."""
    index = (ROOT / "docs" / "README.md").read_text()
    parts: list[dict[str, list[dict[str, str]]]] = []
    for line in index.splitlines():
        if line.startswith("## "):
            parts.append({line[3:]: []})
        elif (found := re.fullmatch(r"- \[(.+)\]\((.+?\.md)(#.*)?\)", line)) and parts:
            [lines] = parts[-1].values()
            lines.append({found[1]: moved(found[2], page="README.md")})
    config.nav = [{"Index": "README.md"}, *parts]
    return config


def on_files(files: Files, *, config: ProperDocsConfig) -> Files:
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: ProperDocsConfig, files: Files) -> str:
    return LINK.sub(lambda m: m[1] + moved(m[2], page=page.file.src_uri) + m[3], markdown)
