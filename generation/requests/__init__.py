"""A request from its submission to its worker: resolved, admitted, stored, screened, in line.

Doors: `submitting` (submit, estimate), `creation.send_to_screening`, `prompt_screening.screen`,
`fair_queue` for whoever works, `admission.usage_of`, `waiting_reasons`.
"""
