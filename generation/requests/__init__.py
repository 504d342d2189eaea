"""A request from its submission to the line: resolved, admitted, stored, screened.

Doors: `submitting` (submit, estimate), `creation.send_to_screening`, `prompt_screening.screen`,
`admission.usage_of`.
"""
