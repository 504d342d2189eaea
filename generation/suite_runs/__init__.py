"""Counterfactual suites rendered and screened as users' requests are, for audits.

Doors: `suite_rendering` (start_or_resume, carry_on, conclude) for the command run_audit, `stints`
(ask, cancel, resume, work, sweep) for pages and tasks.
"""
