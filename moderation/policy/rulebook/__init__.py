"""What a policy version says, and what its rules make of a text: no database, no Django.
The door is `policy_document`: `load`, `active`, `find`.
"""
