from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.mailboxes import views

app_name = "mailboxes"
urlpatterns: list[URLPattern] = [
    path("", views.mailbox_list, name="mailbox-list"),
]
