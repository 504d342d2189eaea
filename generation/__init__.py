"""Requests for images, from the form to the marked picture.

It hears the other rooms through `receivers`; only `config` calls in, `hardware` as a worker starts.
Each folder names its doors.
"""
