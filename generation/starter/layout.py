"""Where the files that ship lie. Imports nothing, so anyone may import it."""

from pathlib import Path

HOME = Path(__file__).resolve().parent
MODEL = HOME / "model"
ADAPTERS = HOME / "adapters"
CATALOGUE = "adapters.json"
LANGUAGE = HOME / "language"
