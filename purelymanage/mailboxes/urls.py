from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.mailboxes import views

app_name = "mailboxes"
urlpatterns: list[URLPattern] = [
    path("", views.mailbox_list, name="mailbox-list"),
    path("new/", views.create_mailbox, name="create-mailbox"),
    path("new/address/", views.preview_address, name="preview-address"),
    path("new/strength/", views.rate_password, name="rate-password"),
    path("<str:address>/", views.mailbox_detail, name="mailbox-detail"),
]
