"""The life of a marked picture: made, delivered in a format, found in an archive, erased.

Others call `marking.embed`, `seal` and `record` in that order, `transcode.in_format`,
`label_choices` and `erasure.erase`.
"""
