"""A request from its submission to its worker: admitted, stored, screened, in line.

Doors: `submitting` (submit, estimate, send_to_screening), `prompt_screening.screen`, `fair_queue`
for whoever works, `progress`, `admission.usage_of`, `waiting_reasons`.
"""
