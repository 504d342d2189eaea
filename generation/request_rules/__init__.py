"""What a request may ask for, who comes first, and what is said of a failure. Pure.

Doors: `parameters` (RequestParameters, check), `priority_classes`, `failures.explain`,
`prompt_notes.of_prompts`.
"""
