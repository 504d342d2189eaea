"""Policies, screening, review cases, decisions, statements, appeals, reports and audits.

Other rooms call `decisions.acting.act`, `screening.classify`, the `subjects`, `account_status` and
the registers that `subjects` keeps; they are told of decisions by `signals`.
"""
