"""One file a family: what the engine asks for is `FamilySpec`, which family it is `registry`.

A new family is a file here, its layers in `adapters/families` and its adapted layers in
`adapters/formats/adapted_layers`.
"""
