from __future__ import annotations

import base64
import os

# Tests never look at a running quickstart.
os.environ["ENV_FILE"] = os.devnull
for name, value in {
    "SECRET_KEY": "only-for-tests",
    "ENCRYPTION_KEYS": "1:" + base64.b64encode(bytes(range(32))).decode(),
    "AUDIT_KEY": "only-for-tests",
    "DATABASE_URL": "postgres://postgres@localhost/purelymanage",
}.items():
    os.environ.setdefault(name, value)

from purelymanage.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PURELYMAIL_API_URL = "http://127.0.0.1:9"  # nothing answers there
PURELYMAIL_IMAP_HOST, PURELYMAIL_IMAP_PORT = "127.0.0.9", 9  # nor there
PURELYMAIL_API_TOKEN = "pm-live-only-for-tests"
WHITENOISE_AUTOREFRESH = True  # there is no folder of collected files
# Whether imapsync is installed makes a difference to the tests of imapsync alone.
IMAPSYNC_BIN, MIGRATION_ENGINE = "", "pipeline"
# What one test gets wrong on purpose is not written down in the midst of another.
LOGGING = LOGGING | {"root": LOGGING["root"] | {"handlers": ["stderr"]}}  # noqa: F405
