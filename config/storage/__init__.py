"""Private files behind a network: S3-compatible stores, moving there, and looking after what lies
there.
"""
