from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from purelymanage.imap.account import Account, Security
from purelymanage.migrations.engines.base import CopyOptions
from purelymanage.migrations.engines.imapsync.command import (
    Access,
    Errand,
    Unsupported,
    Way,
    arguments,
    can_go,
    needs_plain,
    refuse_unsupported,
)

SOURCE = Account(
    host="imap.old.example", port=993, user="otto", password="geheim-1", side="source"
)
DESTINATION = replace(SOURCE, host="::1", password="geheim-2", side="destination")
ACCESS = (Access(7, "/room/source.pem", "/etc/ssl/certs"), Access(8))


def build(errand: Errand) -> list[str]:
    return arguments("/usr/bin/imapsync", errand, ACCESS, "/room")


def errand(**changes: object) -> Errand:
    plain = Errand(source=SOURCE, destination=DESTINATION, options=CopyOptions())
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_passwords_are_only_pointed_at() -> None:
    command = build(errand())
    assert "--passfile1=/dev/fd/7" in command
    assert "--passfile2=/dev/fd/8" in command
    assert not any("geheim" in argument for argument in command)
    assert not any(argument.startswith("--password") for argument in command)


def test_each_value_is_part_of_its_option() -> None:
    ways = [Way("--delete2", "--delete2"), Way("a b", "INBOX.a b")]
    command = build(errand(source=replace(SOURCE, user="-x"), ways=ways))
    assert "--user1=-x" in command
    assert "--folder=--delete2" in command
    assert "--f1f2=a b=INBOX.a b" in command
    assert all(argument.startswith("--") for argument in command[1:])


def test_nothing_is_ever_deleted_or_evaluated() -> None:
    command = " ".join(build(errand(ways=[Way("INBOX", "INBOX")])))
    for option in ("delete", "expunge", "regex", "pipemess", "skipmess", "usecache="):
        assert f"--{option}" not in command
    for option in ("--nodockercontext", "--noid", "--nolog", "--noreleasecheck"):
        assert option in command


def test_certificates_are_verified_with_the_host_s_name() -> None:
    command = build(errand())
    assert [it for it in command if it.startswith("--sslargs1")] == [
        "--sslargs1=SSL_verify_mode=1",
        "--sslargs1=SSL_verifycn_scheme=imap",
        "--sslargs1=SSL_verifycn_name=imap.old.example",
        "--sslargs1=SSL_ca_file=/room/source.pem",
        "--sslargs1=SSL_ca_path=/etc/ssl/certs",
        "--sslargs1=SSL_hostname=imap.old.example",
    ]
    # An address is no name to ask for.
    assert "--sslargs2=SSL_hostname=::1" not in command


def test_an_exception_is_that_of_one_side() -> None:
    command = build(errand(source=replace(SOURCE, verify_certificate=False)))
    assert "--sslargs1=SSL_verify_mode=0" in command
    assert "--sslargs2=SSL_verify_mode=1" in command


@pytest.mark.parametrize(
    ("security", "options"),
    [
        (Security.TLS, {"--ssl1", "--notls1"}),
        (Security.STARTTLS, {"--nossl1", "--tls1"}),
        (Security.CLEAR, {"--nossl1", "--notls1"}),
    ],
)
def test_encryption_is_never_left_to_chance(
    security: Security, options: set[str]
) -> None:
    command = build(errand(source=replace(SOURCE, security=security)))
    assert options <= set(command)
    sslargs = [it for it in command if it.startswith("--sslargs1")]
    assert bool(sslargs) is (security != Security.CLEAR)


def test_options_become_those_of_imapsync() -> None:
    options = CopyOptions(
        since=date(2020, 3, 1),
        max_message_bytes=1000,
        messages_a_second=2.5,
        read_timeout=30,
    )
    command = build(errand(options=options, most_bytes=5000))
    assert "--search1=SINCE 1-Mar-2020" in command
    # It leaves out what is as large as this.
    assert "--maxsize=1001" in command
    assert "--maxmessagespersecond=2.5" in command
    assert "--maxsleep=600" in command
    assert "--exitwhenover=5000" in command
    assert "--timeout1=30" in command
    assert "--maxsize=501" in build(errand(options=options, largest=500))


def test_what_holds_everything_goes_last() -> None:
    ways = [Way("INBOX", "INBOX"), Way("[Gmail]/All Mail", "Archive")]
    command = build(errand(ways=ways, last_takes_the_rest=True))
    assert "--folderlast=[Gmail]/All Mail" in command
    assert "--skipcrossduplicates" in command
    assert "--skipcrossduplicates" not in build(errand(ways=ways))


def test_a_trial_copies_nothing() -> None:
    command = build(errand(only_log_in=True, ways=[Way("INBOX", "INBOX")]))
    assert command[-1] == "--justlogin"
    assert "--folder=INBOX" not in command


def test_what_it_cannot_do_names_the_other_engine() -> None:
    with pytest.raises(Unsupported, match="The engine pipeline can"):
        refuse_unsupported(SOURCE, DESTINATION, CopyOptions(flags_only=True))
    odd = replace(SOURCE, password="one\ntwo")
    with pytest.raises(Unsupported, match="The engine pipeline does"):
        refuse_unsupported(odd, DESTINATION, CopyOptions())
    with pytest.raises(Unsupported, match="name of the user"):
        refuse_unsupported(SOURCE, replace(SOURCE, user="a\nb"), CopyOptions())
    refuse_unsupported(SOURCE, DESTINATION, CopyOptions())


def test_names_that_would_be_cut_in_the_wrong_place_are_known() -> None:
    assert can_go(Way("INBOX", "a=b"))
    assert not can_go(Way("a=b", "a=b"))
    assert not can_go(Way("a\nb", "a_b"))


def test_what_login_cannot_carry_goes_by_plain() -> None:
    assert not needs_plain(SOURCE, DESTINATION)
    assert needs_plain(SOURCE, replace(SOURCE, password="hünter"))
    command = build(errand(plain=True))
    assert "--authmech1=PLAIN" in command
    assert "--authuser1=otto" in command
