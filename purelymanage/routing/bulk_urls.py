"""Pages about rules as a whole, and about how long they stay."""

from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.routing.views import bulks, expiry, importing, snapshots, templating

patterns: list[URLPattern] = [
    path("<int:remote_id>/expiry/", expiry.set_expiry, name="set-expiry"),
    path("export/csv/", importing.export_rules, name="export-rules"),
    path("import/", importing.import_rules, name="import-rules"),
    path("import/template/", importing.import_template, name="import-template"),
    path("template/", templating.apply_template, name="apply-template"),
    path("bulk/", bulks.bulk_list, name="bulk-list"),
    path("bulk/<int:pk>/", bulks.bulk_detail, name="bulk-detail"),
    path("bulk/<int:pk>/columns/", importing.map_columns, name="map-columns"),
    path("bulk/<int:pk>/rows/<int:number>/", bulks.choose_row, name="choose-row"),
    path("bulk/<int:pk>/start/", bulks.start_bulk, name="start-bulk"),
    path("bulk/<int:pk>/decide/", bulks.decide_bulk, name="decide-bulk"),
    path("snapshots/", snapshots.snapshot_list, name="snapshot-list"),
    path("snapshots/take/", snapshots.take_snapshot, name="take-snapshot"),
    path("snapshots/compare/", snapshots.compare_snapshots, name="compare-snapshots"),
    path("snapshots/<int:pk>/", snapshots.snapshot_detail, name="snapshot-detail"),
    path(
        "snapshots/<int:pk>/download/",
        snapshots.download_snapshot,
        name="download-snapshot",
    ),
    path(
        "snapshots/<int:pk>/restore/",
        snapshots.restore_snapshot,
        name="restore-snapshot",
    ),
]
