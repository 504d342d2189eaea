"""From where requests come, over what, and what a browser may do with a page."""

from typing import Any

from config.env import env_choice, env_int, env_list, env_str
from config.launch import folder_lock
from config.settings.instance import IS_LOCAL, STATE_DIR

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])
PUBLIC_URL = env_str("PUBLIC_URL", folder_lock.address(STATE_DIR) or "http://localhost:8000")
SECURE_SSL_REDIRECT = not IS_LOCAL
SESSION_COOKIE_SECURE = not IS_LOCAL
SESSION_ENGINE = "config.accounts.sign_in.sessions"
CSRF_COOKIE_SECURE = not IS_LOCAL
HSTS = "off" if IS_LOCAL else env_choice("HSTS", ("preload", "subdomains", "host", "off"))
SECURE_HSTS_SECONDS = 0 if HSTS == "off" else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS in {"subdomains", "preload"}
SECURE_HSTS_PRELOAD = HSTS == "preload"
PROXIES = env_int("PROOFSHEET_PROXIES", 0)
# What no proxy of the house has set never gets so far: see config.web.crowding.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
