from __future__ import annotations

from django.urls import path

from purelymanage.accounts.security import views

app_name = "security"
urlpatterns = [
    path("sessions/", views.session_list, name="session-list"),
    path("sessions/end/", views.end_other_sessions, name="end-other-sessions"),
    path("sessions/<int:pk>/end/", views.end_session, name="end-session"),
    path(
        "people/<int:pk>/sessions/",
        views.person_session_list,
        name="person-session-list",
    ),
    path(
        "people/<int:pk>/sessions/end/",
        views.end_person_sessions,
        name="end-person-sessions",
    ),
    path(
        "people/<int:pk>/second-factor/remove/",
        views.remove_second_factors,
        name="remove-second-factors",
    ),
]
