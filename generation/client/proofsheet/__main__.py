"""`python -m proofsheet`."""

import sys

from proofsheet.command import main

sys.exit(main())
