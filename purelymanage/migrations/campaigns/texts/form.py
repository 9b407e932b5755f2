"""What the pages and mails for owners say, in each language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HowTo:
    """How one gets a password that a provider takes."""

    steps: tuple[str, ...]
    page: str  # the provider's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    language: str

    # The form
    title: str
    skip: str
    address: str
    address_help: str
    not_yours: str
    password: str
    password_help: str
    password_again: str
    user: str
    user_summary: str
    user_help: str
    consent: str
    withdraw_by_link: str
    withdraw_by_contact: str
    send: str
    trying: str
    how_to: str
    provider_page: str
    what_happens: str
    nobody_sees: str
    tried_at: str
    erased: str
    questions: str
    link_for_you: str
    link_for_all: str

    # What is wrong with it
    address_missing: str
    address_wrong: str
    password_missing: str
    password_too_long: str
    user_wrong: str
    consent_missing: str
    refused: str
    refused_app_password: str
    refused_no_passwords: str

    # What came of it
    right_title: str
    right: str
    right_shared: str
    kept_title: str
    kept: str
    kept_own: str
    kept_shared: str
    kept_other: str
    too_often_title: str
    too_often: str
    in_minutes: str
    in_an_hour: str
    in_hours: str
    tomorrow: str
    withdrawn_title: str
    withdrawn: str
    refused_title: str
    refused_since: str
    left_title: str
    left: str
    needed_title: str
    needed: str
    moved_title: str
    moved: str
    again: str

    # A link of one's own
    received: str
    correct: str
    withdraw: str
    withdraw_title: str
    withdraw_text: str

    # Pages without a form
    over_title: str
    over: str
    over_erased: str
    removed_title: str
    removed: str
    unknown_title: str
    unknown: str
    forged_title: str
    forged: str
    forged_again: str
    # Where nothing is looked at
    busy_title: str
    busy: str
    no_form_title: str
    no_form: str
    # Where the panel or its database does not work
    down_title: str
    down: str
    down_sent: str

    # Mails about passwords that were tried later
    mail_greeting: str
    mail_right_subject: str
    mail_right: str
    mail_refused_subject: str
    mail_refused: str
    mail_unanswered_subject: str
    mail_unanswered: str
    mail_questions: str

    # By the keys of presets
    app_passwords: dict[str, HowTo]
