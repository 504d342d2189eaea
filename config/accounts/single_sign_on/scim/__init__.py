"""SCIM 2.0 (RFC 7643, 7644) over django-scim2: accounts and groups that a provider keeps.

SCIM sees the accounts that it made and no other. What it may not say of them it is not asked:
passwords, roles by their own names, names of people.
"""
