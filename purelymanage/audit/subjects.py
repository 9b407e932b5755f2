from __future__ import annotations

# The subjects of events, as their codes begin.
SUBJECTS = {
    "person": "People and sign-ins",
    "mailbox": "Mailboxes",
    "bulk": "Bulk changes",
    "domain": "Domains",
    "rule": "Rules",
    "snapshot": "Snapshots",
    "deletion": "Deletions",
    "migration": "Migrations",
    "server": "Servers",
    "batch": "Batches of copies",
    "campaign": "Campaigns",
    "queue": "Queue of copies",
    "organisation": "Organisation",
    "account": "Syncs",
    "panel": "The panel",
}
