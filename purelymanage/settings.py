"""All settings, from the environment only. `deploy/env.example` explains each name."""

from __future__ import annotations

from logging import LogRecord
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONCE, NONE, SELF

from purelymanage import addresses
from purelymanage.environment import (
    BASE_DIR,
    application_name,
    flag,
    number,
    one_of,
    read_env_file,
    required_secrets,
    secret,
    stop,
    time_zone,
)
from purelymanage.logs import FORMATS, LEVELS
from purelymanage.secret_links import mask_paths

read_env_file()
env = environ.Env()

SECRET_KEY, ENCRYPTION_KEYS, AUDIT_KEY, DATABASE_URL = required_secrets(
    "SECRET_KEY", "ENCRYPTION_KEYS", "AUDIT_KEY", "DATABASE_URL"
)

# Keys that were in use before: what they signed is still believed.
SECRET_KEY_FALLBACKS, AUDIT_KEY_FALLBACKS = (
    list(filter(None, secret(name).split(",")))
    for name in ("SECRET_KEY_FALLBACKS", "AUDIT_KEY_FALLBACKS")
)

DEBUG = False
BASE_URL = addresses.panel("BASE_URL", "http://localhost:8000")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]
IS_SECURE = BASE_URL.startswith("https://")
# Browsers take such a cookie from this host alone, over https, and for every path.
COOKIES = "__Host-" if IS_SECURE else ""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_q",
    "heroicons",
    "purelymanage.audit",
    "purelymanage.accounts",
    "purelymanage.deletions",
    "purelymanage.purelymail",
    "purelymanage.domains",
    "purelymanage.mailboxes",
    "purelymanage.routing",
    "purelymanage.migrations",
    "purelymanage.dashboard",
    "purelymanage.quickstart",
]

MIDDLEWARE = [
    "purelymanage.audit.middleware.RequestIdMiddleware",
    "purelymanage.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "purelymanage.migrations.campaigns.gate.GateMiddleware",
    "purelymanage.dashboard.health.WatcherMiddleware",
    "purelymanage.dashboard.outage.OutageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "purelymanage.accounts.middleware.PersonMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "purelymanage.accounts.middleware.SignInRequiredMiddleware",
    "purelymanage.accounts.security.middleware.PersonSessionMiddleware",
    "purelymanage.accounts.security.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "purelymanage.dashboard.error_pages.WrongMethodMiddleware",
]

ROOT_URLCONF = "purelymanage.urls"
WSGI_APPLICATION = "purelymanage.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "purelymanage.dashboard.context_processors.navigation",
                "purelymanage.headers.nonce",
            ],
            "builtins": [
                "django.contrib.humanize.templatetags.humanize",
                "django.templatetags.static",
                "purelymanage.dashboard.templatetags.interface",
            ],
        },
    },
]

# Database, cache, queue: PostgreSQL is the only shared state.

DATABASES = {"default": addresses.database(DATABASE_URL)}
DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
# Tells `rotate_keys` which keys the processes have that are connected.
DATABASES["default"].setdefault("OPTIONS", {})["fallback_application_name"] = (
    application_name(ENCRYPTION_KEYS)
)
# A server out of reach is noticed within seconds, and not when the system gives it up.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    **DATABASES["default"].get("OPTIONS", {}),
}
# So many connections are shared by the threads of a web process, which are many more.
# Not for workers: they are forked, and have one each.
if pool := number("DATABASE_POOL", 0):
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": pool,
        "timeout": 10,
        # Later tries come minutes apart; whoever asks next lets it try again at once.
        "reconnect_timeout": 2,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

DAY = 24 * 60 * 60
# Delivery is at least once: `retry` must exceed the longest task, and tasks claim
# their row first.
Q_CLUSTER: dict[str, Any] = {
    "name": "default",
    "orm": "default",
    "broker_class": "purelymanage.broker.PulsingBroker",
    "workers": number("WORKERS", 2, least=1),
    "timeout": 300,
    "retry": 330,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 100,
    "poll": 0.3,
    "guard_cycle": 1,
    "label": "Tasks",
    "ALT_CLUSTERS": {
        "migrations": {
            "broker_class": "purelymanage.migrations.broker.CopyBroker",
            "workers": number("MIGRATION_WORKERS", 8, least=1),
            "poll": 0.1,
            "timeout": 3 * DAY,
            "retry": 3 * DAY + 600,
            "max_attempts": 1,
            "recycle": 1,
        }
    },
}

# People and sessions

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["purelymanage.accounts.backend.PersonBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "purelymanage.accounts.passwords.StrengthValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "purelymanage.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = "strict"
# Strangers must not make the panel write to anybody.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
# Whoever opens doors proves again who they are if the last proof is older (seconds).
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_ADAPTER = "purelymanage.accounts.security.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "activate_totp": "purelymanage.accounts.security.forms.ActivateAppForm",
    "authenticate": "purelymanage.accounts.security.forms.AuthenticateCodeForm",
    "reauthenticate": "purelymanage.accounts.security.forms.ReauthenticateCodeForm",
    "add_webauthn": "purelymanage.accounts.security.forms.AddPasskeyForm",
    "authenticate_webauthn": (
        "purelymanage.accounts.security.forms.AuthenticatePasskeyForm"
    ),
    "reauthenticate_webauthn": (
        "purelymanage.accounts.security.forms.ReauthenticatePasskeyForm"
    ),
    "login_webauthn": "purelymanage.accounts.security.forms.LoginPasskeyForm",
}
MFA_TOTP_ISSUER = "PurelyManage"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Without https, browsers offer passkeys on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_SECURE
# How many proxies in front may set X-Forwarded-For; 0 takes the peer's address.
ALLAUTH_TRUSTED_PROXY_COUNT = number("TRUSTED_PROXIES", 0)

SESSION_ENGINE = "purelymanage.accounts.session_store"
SESSION_COOKIE_AGE = 14 * DAY
# After so long without the person everybody is signed out; live pages do not count.
SESSION_IDLE_HOURS = number("SESSION_IDLE_HOURS", 8, least=1)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_NAME = f"{COOKIES}sessionid"
CSRF_COOKIE_NAME = f"{COOKIES}csrftoken"
# Pages carry the token themselves; no script reads the cookie.
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "purelymanage.headers.MessageStorage"
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Without a proxy that tells how somebody came, nobody would ever arrive.
    SECURE_SSL_REDIRECT = IS_SECURE
    SECURE_SSL_HOST = BASE_URL.removeprefix("https://")
    # Asked from this machine, past the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * DAY if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = flag("HSTS_SUBDOMAINS", default=True)
# Whether the domain above comes into the lists of browsers is not ours to decide.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
if not SECURE_HSTS_INCLUDE_SUBDOMAINS:
    SILENCED_SYSTEM_CHECKS.append("security.W005")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Language, time, files, mail, logs

LANGUAGE_CODE = "en-gb"
TIME_ZONE = time_zone("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False

STATIC_URL = env.str("STATIC_URL", "") or "/static/"
if not STATIC_URL.endswith("/"):
    stop("STATIC_URL must end with a slash.")
STATIC_ROOT = env.str("STATIC_ROOT", str(BASE_DIR / "var" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
# They may come from a bucket or a network of caches.
STATIC_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(STATIC_URL))]
if not STATIC_URL.startswith(("https://", "http://")):
    STATIC_ORIGINS = [SELF]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # Each page names a number of its own, which its scripts bear.
        "script-src": [NONCE],
        "style-src": STATIC_ORIGINS,
        "img-src": [*STATIC_ORIGINS, "data:"],
        "font-src": STATIC_ORIGINS,
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Uploaded tables may hold passwords: they never touch the disk. What is larger than any
# that is read does not arrive.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
# Whoever chooses 10 000 mailboxes one page after the other sends as many fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_100

EMAIL_CONFIG = addresses.mail(secret("EMAIL_URL") or "consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "PurelyManage <panel@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL


def keep_refusals_short(record: LogRecord) -> bool:
    """Log a 403 as a line: it says that somebody lacks a right, not what is broken."""
    if getattr(record, "status_code", None) == 403:
        record.exc_info = None
    return True


LOG_FORMAT = one_of("LOG_FORMAT", "line", FORMATS)
LOG_LEVEL = one_of("LOG_LEVEL", "INFO", LEVELS)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "short_refusals": {
            "()": "django.utils.log.CallbackFilter",
            "callback": keep_refusals_short,
        },
        "masked_paths": {
            "()": "django.utils.log.CallbackFilter",
            "callback": mask_paths,
        },
    },
    "loggers": {
        "django.request": {"filters": ["short_refusals", "masked_paths"]},
        "django.security.csrf": {"filters": ["masked_paths"]},
    },
    "formatters": {
        "line": {"()": "purelymanage.logs.LineFormatter"},
        "json": {"()": "purelymanage.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {"class": "purelymanage.logs.StderrHandler", "formatter": LOG_FORMAT},
        # For the health page.
        "kinds": {"class": "purelymanage.error_notes.KeepingHandler"},
    },
    "root": {"handlers": ["stderr", "kinds"], "level": LOG_LEVEL},
}

# Whoever asks for /metrics has to know it; without one nobody gets them.
METRICS_TOKEN = secret("METRICS_TOKEN")

# PurelyMail, IMAP, DNS

PURELYMAIL_API_URL = addresses.web("PURELYMAIL_API_URL", "https://purelymail.com")
PURELYMAIL_API_TOKEN = secret("PURELYMAIL_API_TOKEN")
PURELYMAIL_IMAP_HOST = env.str("PURELYMAIL_IMAP_HOST", "imap.purelymail.com")
PURELYMAIL_IMAP_PORT = number("PURELYMAIL_IMAP_PORT", 993, least=1, most=65535)
# Trusted for IMAP in addition to the system's authorities.
IMAP_CA_FILE: str | None = env.str("IMAP_CA_FILE", "") or None
DNS_RESOLVERS: list[str] = env.list("DNS_RESOLVERS", default=[])
# Where the mail settings of a domain are asked for, beside the domain itself.
ISPDB_URL = env.str("ISPDB_URL", "https://autoconfig.thunderbird.net/v1.1")
DISCOVERY_REACHES_PRIVATE_NETWORKS = flag(
    "DISCOVERY_REACHES_PRIVATE_NETWORKS", default=False
)
IMAPSYNC_BIN = env.str("IMAPSYNC_BIN", "imapsync")
MIGRATION_ENGINE = one_of("MIGRATION_ENGINE", "auto", ("auto", "imapsync", "pipeline"))
DELETION_GRACE_HOURS = number("DELETION_GRACE_HOURS", 24, least=1)
# How long the password of a mailbox is kept that was not copied completely.
PASSWORDS_KEPT_DAYS = number("PASSWORDS_KEPT_DAYS", 30, least=1)

# Where a signed note of the audit chain goes once a day, outside the database.
AUDIT_CHECKPOINT_FILE = env.str("AUDIT_CHECKPOINT_FILE", "")
AUDIT_CHECKPOINT_EMAIL = env.str("AUDIT_CHECKPOINT_EMAIL", "")

# Credit in dollars below which the dashboard warns.
CREDIT_ATTENTION = 5
CREDIT_CRITICAL = 2

django_stubs_ext.monkeypatch()
