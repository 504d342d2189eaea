"""C2PA manifests written, read and judged; nowhere else is C2PA spoken.

Others call `signing_context.signer` and take `content_credentials.Signer` and `definition` for
types; all but `signing_context` is pure.
"""
