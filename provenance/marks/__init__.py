"""What is put into pixels or read from them: watermark, fingerprints, visible label. Pure.

Others call `fingerprint` and `visible_label`, and warm `watermark_pattern`.
"""
