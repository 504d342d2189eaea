"""What a project can be told of, with what each event means. Pure.

The names are those of webhooks' bodies; the documentation and the pages read this table.
"""

EVENT_TYPES = {
    "generation.succeeded": "A request ended, and at least one of its pictures can be fetched.",
    "generation.held": "A prompt or a picture waits for a moderator.",
    "generation.released": "What was held or refused was let through.",
    "generation.refused": "A prompt or a picture was refused; its notice says why.",
    "generation.failed": "A request ended without a picture, for a technical reason.",
    "appeal.received": "An appeal was lodged.",
    "appeal.decided": "An appeal was heard.",
    "decision.overturned": "A decision was undone.",
    "end_user.warned": "One of the project's end users was warned.",
    "end_user.suspended": "One of the project's end users was suspended.",
    "end_user.restored": "An end user's suspension is over, or a warning was taken back.",
    "adapter.accepted": "An uploaded adapter passed its check.",
    "adapter.rejected": "An uploaded adapter cannot be served.",
    "export.ready": "An export can be fetched.",
}
