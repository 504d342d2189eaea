"""Interfaces that clients of other makers already speak; each translates and calls what our own API
calls.
"""
