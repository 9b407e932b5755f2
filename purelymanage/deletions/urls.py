from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.deletions import views

app_name = "deletions"
urlpatterns: list[URLPattern] = [
    path("", views.deletion_list, name="deletion-list"),
    path("new/<str:kind>/", views.request_bulk, name="request-bulk"),
    path("new/<str:kind>/<path:key>/", views.request_deletion, name="request-deletion"),
    path("cancel/", views.cancel_deletions, name="cancel-deletions"),
    path("<int:pk>/cancel/", views.cancel_deletion, name="cancel-deletion"),
    path("<int:pk>/decide/", views.decide_deletion, name="decide-deletion"),
    path("<int:pk>/again/", views.look_again, name="look-again"),
    path("<int:pk>/create-again/", views.create_again, name="create-again"),
]
