"""No package that runs models can be imported, as in the web's image; a plugin of pytest, too.

python -m pytest -p tests.deploy.without_models …
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tests.deploy.model_packages import PACKAGES


class Absent(MetaPathFinder):
    """Finds none of `PACKAGES`, whoever else would."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, Absent())
