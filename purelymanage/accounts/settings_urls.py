from __future__ import annotations

from django.urls import path

from purelymanage.accounts.views import people, settings

app_name = "settings"
urlpatterns = [
    path("", settings.profile, name="profile"),
    path("organisation/", settings.organisation, name="organisation"),
    path("organisation/test-mail/", settings.send_test_mail, name="send-test-mail"),
    path("people/", people.person_list, name="person-list"),
    path("people/invite/", people.invite_person, name="invite-person"),
    path("people/<int:pk>/", people.person_detail, name="person-detail"),
    path(
        "people/<int:pk>/deactivate/",
        people.deactivate_person,
        name="deactivate-person",
    ),
    path(
        "people/<int:pk>/reactivate/",
        people.reactivate_person,
        name="reactivate-person",
    ),
    path(
        "invitations/<int:pk>/resend/",
        people.resend_invitation,
        name="resend-invitation",
    ),
    path(
        "invitations/<int:pk>/withdraw/",
        people.withdraw_invitation,
        name="withdraw-invitation",
    ),
]
