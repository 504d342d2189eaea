"""Where every image came from: marks, manifests, keys, the log, and the page that checks them.

The lowest room: the others call it, it knows none of them. Each folder names its doors.
"""
