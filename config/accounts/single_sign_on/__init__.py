"""Signing in through a company's identity provider, and accounts that it makes and closes.

Doors: `sign_on_file` for what a house is told of its providers, `provided_roles.settle` for roles
that follow from groups; the rest is named by the settings and the addresses.
"""
