"""Checks a proof bundle: `python -m provenance.offline BUNDLE`."""

import sys

from provenance.offline.bundle_check import main

sys.exit(main())
