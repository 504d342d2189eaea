"""What the database itself refuses: a rule for every table, and the triggers and grants made of it.

Others call `privileges` for the statements and `record_rules` for the rules. Pure.
"""
