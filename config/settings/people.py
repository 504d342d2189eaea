"""How people sign in and sign up, and how they are written to."""

from config.accounts.roles.role_names import ROLE_NAMES
from config.accounts.single_sign_on import allauth_apps, sign_on_file
from config.accounts.single_sign_on.scim import scim_settings
from config.env import env_bool, env_int, env_str
from config.settings.instance import IS_LOCAL, STATE_DIR
from config.settings.transport import PUBLIC_URL

# Every session holds this name: with another one everybody signs in once more.
AUTHENTICATION_BACKENDS = ["config.accounts.sign_in.logins.Passwords"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "config.accounts.api_keys.password_change.KeysEndWithThePassword"}]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/studio/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.accounts.single_sign_on.front_door.FrontDoor"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_FORMS = {"signup": "config.accounts.sign_in.sign_up.SignUpForm"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env_str(
    "ACCOUNT_EMAIL_VERIFICATION", "none" if IS_LOCAL else "mandatory"
)
# Wrong passwords: by address and name, by name, and by a device that the account knows. Addresses
# of the latter are counted for themselves: strangers at the same one lock nobody out.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key",
    "login_failed_name": "100/h/key",
    "login_failed_device": "10/m/ip,10/5m/key",
}
# Changes of mail, password and second factor ask for the password again, and are mailed.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
MFA_ADAPTER = "config.accounts.second_factor.secret_storage.Secrets"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_LOCAL  # browsers themselves allow it for localhost alone
MFA_TOTP_ISSUER = "Proofsheet"
PROOFSHEET_SECOND_FACTOR = env_bool("PROOFSHEET_SECOND_FACTOR", not IS_LOCAL)
MFA_ALLOW_UNVERIFIED_EMAIL = IS_LOCAL  # one host need not have a mail server
# Identity providers stand in a file of their own: docs/operate/single-sign-on.md. An address that
# one of them tells opens nobody's account, and what else it knows of people is not kept.
PROOFSHEET_SIGN_ON = sign_on_file.read(
    env_str("SIGN_ON_FILE", ""), roles=ROLE_NAMES, is_local=IS_LOCAL
)
SOCIALACCOUNT_ADAPTER = "config.accounts.single_sign_on.sign_on_adapter.Arrivals"
SOCIALACCOUNT_PROVIDERS = allauth_apps.apps_of(PROOFSHEET_SIGN_ON, is_local=IS_LOCAL)
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SCIM_SERVICE_PROVIDER = scim_settings.at(PUBLIC_URL)
EMAIL_BACKEND = env_str(
    "EMAIL_BACKEND",
    "config.mail.developer_mailbox.ToFolder"
    if IS_LOCAL
    else "django.core.mail.backends.smtp.EmailBackend",
)
PROOFSHEET_MAILS_DIR = STATE_DIR / "mails"
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 20  # seconds: a mail server that hangs holds a thread no longer
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "proofsheet@localhost")
