"""What adapter files are made of: header, names, formats, layers of the families. Pure.

Doors: `safetensors_header.read_file`, `detection.recognise`, `target_modules.of_family`, and
`file_verdicts` for all that is told of a file.
"""
