"""Where files lie."""

import json
from pathlib import Path
from typing import Any

from config.env import env_int, env_str
from config.launch import private_files
from config.settings.instance import DEBUG, ROOT, STATE_DIR

STATIC_URL = "/static/"
STATIC_ROOT = Path(env_str("STATIC_ROOT", str(STATE_DIR / "static"))).resolve()
STATICFILES_DIRS = [ROOT / "config" / "static"]
MEDIA_ROOT = Path(env_str("MEDIA_ROOT", str(STATE_DIR / "media"))).resolve()
PRIVATE_STORAGE_BACKEND = env_str(
    "PRIVATE_STORAGE_BACKEND", "django.core.files.storage.FileSystemStorage"
)
PRIVATE_STORAGE_OPTIONS: dict[str, Any] = json.loads(
    env_str("PRIVATE_STORAGE_OPTIONS", json.dumps({"location": str(MEDIA_ROOT)}))
)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": PRIVATE_STORAGE_BACKEND, "OPTIONS": PRIVATE_STORAGE_OPTIONS},
    "private": {"BACKEND": PRIVATE_STORAGE_BACKEND, "OPTIONS": PRIVATE_STORAGE_OPTIONS},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
PROOFSHEET_ADAPTER_CACHE_DIR = env_str("ADAPTER_CACHE_DIR", str(STATE_DIR / "adapter-cache"))
PROOFSHEET_ADAPTER_CACHE_MAX_BYTES = env_int("ADAPTER_CACHE_MAX_BYTES", 20 * 1024**3)
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = (
    private_files.FILE_MODE,
    private_files.FOLDER_MODE,
)
