"""`python -m proofsheet`."""

from proofsheet.command import main

raise SystemExit(main())
