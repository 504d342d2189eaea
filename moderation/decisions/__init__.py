"""Decisions and their effect. `acting.act` acts on a verdict, `pending_decisions` proposes and
undoes a reviewer's, `enforcing` decides and reverses, `allowed_actions` says what may be decided.
"""
