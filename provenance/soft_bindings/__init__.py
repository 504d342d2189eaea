"""The C2PA Soft Binding Resolution API below `/sbr/`: manifests by a watermark, ISCC or picture.

Called by its addresses alone.
"""
