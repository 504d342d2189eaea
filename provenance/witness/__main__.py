"""Runs a witness: `python -m provenance.witness`."""

import sys

from provenance.witness.witness_server import main

sys.exit(main())
