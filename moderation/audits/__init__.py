"""Audits of who is refused by mistake. Others call `sampling.frame.enter`, `suites`, `models`, and
of `audit_reports` `freeze`, `suite_report` and `auditors`.
"""
