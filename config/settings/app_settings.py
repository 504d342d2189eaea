"""Settings that Proofsheet itself reads, apart from those of Django and its packages."""

import json
import os
import shlex
from typing import Any

from config.env import env_bool, env_choice, env_int, env_list, env_str

PROOFSHEET_VERSION = "0.1.0"
PROOFSHEET_PROVIDER = env_str("PROOFSHEET_PROVIDER", "Proofsheet demo operator")
PROOFSHEET_SYSTEM_NAME = env_str("PROOFSHEET_SYSTEM_NAME", "Proofsheet")

# ---------------------------------------------------------------- marks, signatures, the log
# A label that people can see: its usual corner (none by default), and what it may say.
PROOFSHEET_LABEL = env_str("VISIBLE_LABEL", "")
PROOFSHEET_LABEL_TEXTS = env_list("VISIBLE_LABEL_TEXTS", ["AI generated"])
# The producer's code of China's implicit label (TC260-PG-20259A), which is left out without one.
PROOFSHEET_AIGC_PRODUCER = env_str("AIGC_PRODUCER", "")
# A signing certificate from outside in place of the own authority's (docs/operate/keys.md).
PROOFSHEET_C2PA = {
    "certificates": env_str("C2PA_CERTIFICATES", ""),
    "private_key": env_str("C2PA_PRIVATE_KEY", ""),
    "passphrase": env_str("C2PA_PRIVATE_KEY_PASSPHRASE", ""),
    "command": shlex.split(env_str("C2PA_SIGN_COMMAND", "")),
    "algorithm": env_str("C2PA_ALGORITHM", "es256"),
    "trust_anchors": env_str("C2PA_TRUST_ANCHORS", ""),
}
PROOFSHEET_TRUST_LIST = env_list("VERIFY_TRUST_LIST", [])
PROOFSHEET_TSA_URL = env_str("TSA_URL", "")
PROOFSHEET_TSA_CERTIFICATES = env_str("TSA_CERTIFICATES", "")
PROOFSHEET_TSA_TIMEOUT_MS = env_int("TSA_TIMEOUT_MS", 2000)
PROOFSHEET_LOG_ORIGIN = env_str("PROOFSHEET_LOG_ORIGIN", "localhost/proofsheet")
PROOFSHEET_LOG_WITNESSES = env_list("LOG_WITNESSES", [])
PROOFSHEET_CHECKPOINT_SECONDS = env_int("PROOFSHEET_CHECKPOINT_SECONDS", 60)

# ---------------------------------------------------------------- what is let in
PROOFSHEET_MAINTENANCE = env_bool("MAINTENANCE", False)  # as by `manage.py maintenance on`
# From where `X-Forwarded-…` is believed, if there are proxies at all.
PROOFSHEET_PROXY_NETWORKS = env_list("PROOFSHEET_PROXY_NETWORKS", ["127.0.0.0/8", "::1"])
PROOFSHEET_REQUESTS_PER_ADDRESS = env_int("PROOFSHEET_REQUESTS_PER_ADDRESS", 100)
# Predicted wait in seconds over which a new request is answered with 429, by tier.
PROOFSHEET_WAIT_BUDGETS_S = {
    "interactive": env_int("WAIT_BUDGET_INTERACTIVE_S", 10),
    "standard": env_int("WAIT_BUDGET_STANDARD_S", 300),
    "batch": env_int("WAIT_BUDGET_BATCH_S", 3600),
}
# What one user may use, unless the admin's allowance says otherwise.
PROOFSHEET_ALLOWANCE = {
    "images_a_day": env_int("QUOTA_IMAGES_A_DAY", 1000),
    "device_seconds_a_day": env_int("QUOTA_DEVICE_SECONDS_A_DAY", 7200),
    "in_flight": env_int("QUOTA_IN_FLIGHT", 40),
}
# How old what a submission is admitted by may be: allowance, the models' speed, who is alive.
PROOFSHEET_REMEMBER_S = 2
PROOFSHEET_ADAPTER_MAX_BYTES = env_int("PROOFSHEET_ADAPTER_MAX_BYTES", 1024**3)
PROOFSHEET_SOURCE_MAX_BYTES = env_int("PROOFSHEET_SOURCE_MAX_BYTES", 10 * 1024 * 1024)
# With less room than that where pictures are kept, none is let in and none is drawn.
PROOFSHEET_STORAGE_FREE_MIN_MB = env_int("STORAGE_FREE_MIN_MB", 100)
PROOFSHEET_VERIFY_MAX_BYTES = env_int("PROOFSHEET_VERIFY_MAX_BYTES", 20 * 1024 * 1024)
PROOFSHEET_VERIFY_AT_ONCE = env_int("PROOFSHEET_VERIFY_AT_ONCE", 2)

# ---------------------------------------------------------------- what goes by itself
# Of projects that say nothing themselves; 0: as long as their owners want.
PROOFSHEET_IMAGES_KEPT_DAYS = env_int("IMAGES_KEPT_DAYS", 0)

# ---------------------------------------------------------------- what goes out
PROOFSHEET_WEBHOOKS_TO_LOOPBACK = env_bool("WEBHOOKS_TO_LOOPBACK", False)

# Other names for models under /v1/, as name=slug; an empty slug is the default model.
PROOFSHEET_OPENAI_ALIASES = env_list(
    "OPENAI_MODEL_ALIASES", ["gpt-image-1=", "gpt-image-2=", "dall-e-3="]
)

# Whom Open WebUI says that it asks for: by its signed header, or by the bare one.
PROOFSHEET_OPEN_WEBUI_SECRET = env_str("OPEN_WEBUI_USER_JWT_SECRET", "")
PROOFSHEET_OPEN_WEBUI_UNSIGNED = env_bool("OPEN_WEBUI_USER_UNSIGNED", False)

# ---------------------------------------------------------------- rendering
PROOFSHEET_DEVICE = env_str("PROOFSHEET_DEVICE", "auto")
# Hardware tiers of models (gpu-24g) whose requests wait in a queue of that name, for workers of
# their own; all others wait in "gpu".
PROOFSHEET_HARDWARE_QUEUES = env_list("HARDWARE_QUEUES", [])
PROOFSHEET_DEVICE_HOUR_PRICE = env_str("DEVICE_HOUR_PRICE", "")  # such as "2.50 EUR"; for operators
PROOFSHEET_RENDER_TIMEOUT_S = env_int("RENDER_TIMEOUT_S", 1800)
# In which a worker that gets SIGTERM has finished what it renders, or handed it back.
PROOFSHEET_DRAIN_SECONDS = env_int("DRAIN_SECONDS", 60)
# One core is left for decoding, marking and screening.
PROOFSHEET_TORCH_THREADS = env_int(
    "PROOFSHEET_TORCH_THREADS", max(1, len(os.sched_getaffinity(0)) - 1)
)
# What makes a model smaller that does not fit: see `manage.py plan_memory`.
PROOFSHEET_BATCH_ROWS = env_int("BATCH_ROWS", 0)
PROOFSHEET_TEXT_OFFLOADED = env_bool("TEXT_ENCODERS_OFFLOADED", False)
PROOFSHEET_WEIGHTS = env_choice("ENGINE_WEIGHTS", ("as_saved", "fp8", "fp8_dynamic"))
# What each of them gains is measured in ADR 50.
PROOFSHEET_COMPILED_BY = env_str("ENGINE_COMPILED_BY", "")
PROOFSHEET_CHANNELS_LAST = env_bool("ENGINE_CHANNELS_LAST", True)
PROOFSHEET_FUSED_ATTENTION = env_bool("ENGINE_FUSED_ATTENTION", True)
PROOFSHEET_CUDA_GRAPHS = env_bool("ENGINE_CUDA_GRAPHS", True)

# ---------------------------------------------------------------- moderation
PROOFSHEET_PROFILES = env_list("PROOFSHEET_PROFILES", ["general", "education-medical", "adult"])
# Models of one's own that screen instead of those that ship, as JSON: see moderation/classifiers.
PROOFSHEET_CLASSIFIERS: dict[str, Any] = {
    "prompt": json.loads(env_str("PROMPT_CLASSIFIER", "{}")),
    "image": json.loads(env_str("IMAGE_CLASSIFIER", "{}")),
}
PROOFSHEET_UNDO_SECONDS = env_int("PROOFSHEET_UNDO_SECONDS", 30)
# Points that revealing pictures costs a reviewer (its severity each): a shift's, between breaks.
PROOFSHEET_EXPOSURE_BUDGET = env_int("EXPOSURE_BUDGET", 240)
PROOFSHEET_EXPOSURE_STRETCH = env_int("EXPOSURE_STRETCH", 60)
PROOFSHEET_BREAK_MINUTES = env_int("EXPOSURE_BREAK_MINUTES", 10)

# ---------------------------------------------------------------- bias audits
# Which share of screenings gets a blind label: see moderation/audits/statistics/sampling_design.py.
PROOFSHEET_AUDIT_PASSED_PER_MILLE = env_int("AUDIT_PASSED_PER_MILLE", 10)
PROOFSHEET_AUDIT_FLAGGED_PER_MILLE = env_int("AUDIT_FLAGGED_PER_MILLE", 500)
PROOFSHEET_AUDIT_DOUBLE_PER_CENT = env_int("AUDIT_DOUBLE_PER_CENT", 10)
PROOFSHEET_AUDIT_SUITES = env_list("AUDIT_SUITES", [])  # rendered monthly and on change
