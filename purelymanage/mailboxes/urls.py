from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.mailboxes.views import (
    app_passwords,
    bulks,
    creating,
    details,
    flags,
    hand_overs,
    imports,
    lists,
    notes,
    passwords,
    recovery,
    renaming,
    suspension,
)

app_name = "mailboxes"
urlpatterns: list[URLPattern] = [
    path("", lists.mailbox_list, name="mailbox-list"),
    path("columns/", lists.choose_columns, name="choose-columns"),
    path("export/csv/", lists.export_mailboxes, name="export-mailboxes"),
    path("new/", creating.create_mailbox, name="create-mailbox"),
    path("new/address/", creating.preview_address, name="preview-address"),
    path("new/strength/", creating.rate_password, name="rate-password"),
    path("import/", imports.import_mailboxes, name="import-mailboxes"),
    path("import/template/", imports.import_template, name="import-template"),
    path("bulk/", bulks.bulk_list, name="bulk-list"),
    path("bulk/new/", bulks.new_bulk, name="new-bulk"),
    path("bulk/<int:pk>/", bulks.bulk_detail, name="bulk-detail"),
    path("bulk/<int:pk>/columns/", imports.map_columns, name="map-columns"),
    path("bulk/<int:pk>/wishes/", bulks.choose_wishes, name="choose-wishes"),
    path("bulk/<int:pk>/start/", bulks.start_bulk, name="start-bulk"),
    path("bulk/<int:pk>/decide/", bulks.decide_bulk, name="decide-bulk"),
    path("bulk/<int:pk>/links/", bulks.take_links, name="take-links"),
    path(
        "<str:address>/app-passwords/new/",
        app_passwords.create_app_password,
        name="create-app-password",
    ),
    path(
        "<str:address>/app-passwords/<int:pk>/",
        app_passwords.revoke_app_password,
        name="revoke-app-password",
    ),
    path(
        "<str:address>/hand-overs/",
        hand_overs.make_hand_over,
        name="make-hand-over",
    ),
    path(
        "<str:address>/hand-overs/<int:pk>/withdraw/",
        hand_overs.withdraw_hand_over,
        name="withdraw-hand-over",
    ),
    path(
        "<str:address>/reset-password/",
        passwords.reset_password,
        name="reset-password",
    ),
    path(
        "<str:address>/two-factor/on/",
        flags.switch_on_two_factor,
        name="switch-on-two-factor",
    ),
    path(
        "<str:address>/two-factor/off/",
        flags.switch_off_two_factor,
        name="switch-off-two-factor",
    ),
    path(
        "<str:address>/reset-allowed/",
        flags.set_reset_allowed,
        name="set-reset-allowed",
    ),
    path(
        "<str:address>/search-indexing/",
        flags.set_search_indexing,
        name="set-search-indexing",
    ),
    path("<str:address>/recovery/", recovery.save_recovery, name="save-recovery"),
    path(
        "<str:address>/recovery/remove/",
        recovery.remove_recovery,
        name="remove-recovery",
    ),
    path("<str:address>/rename/", renaming.rename_mailbox, name="rename-mailbox"),
    path(
        "<str:address>/renames/<int:pk>/",
        renaming.rename_detail,
        name="rename-detail",
    ),
    path("<str:address>/suspend/", suspension.suspend, name="suspend"),
    path("<str:address>/notes/", notes.edit_notes, name="edit-notes"),
    path("<str:address>/", details.mailbox_detail, name="mailbox-detail"),
]
