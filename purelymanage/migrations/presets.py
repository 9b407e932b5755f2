"""What is known of the providers that people leave: a starting point for a server."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.imap.account import Security

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    key: str
    name: str
    # Empty where each customer has a server of their own.
    host: str = ""
    port: int = 993
    security: Security = Security.TLS
    # Limits within which the provider does not slow us down or lock us out.
    parallel_runs: int | None = None
    bytes_a_day: int | None = None
    # The same of each mailbox.
    bytes_a_day_each: int | None = None
    messages_a_second: float | None = None
    # Views of mail that lies elsewhere as well, and folders that hold no mail.
    left_out_folders: tuple[str, ...] = ()
    # How one gets in.
    advice: str
    # What else there is to know.
    notes: str = ""
    # The provider's own page about it.
    page: str
    takes_passwords: bool = True
    # Addresses of the provider itself.
    domains: tuple[str, ...] = ()
    # How the servers end that receive mail for its customers, and where their
    # mailboxes are then, if not at the usual host.
    receivers: tuple[tuple[str, str], ...] = ()


def _without_mail(*more: str) -> tuple[str, ...]:
    """What Exchange lists beside the folders of mail."""
    return ("Calendar*", "Contacts*", "Journal", "Notes", "Tasks*", *more)


PRESETS: tuple[Preset, ...] = (
    Preset(
        key="gmail",
        name="Gmail and Google Workspace",
        host="imap.gmail.com",
        parallel_runs=5,
        bytes_a_day_each=2000 * MB,
        left_out_folders=(
            "[Gmail]/All Mail",
            "[Gmail]/Important",
            "[Gmail]/Starred",
            "[Google Mail]/All Mail",
            "[Google Mail]/Important",
            "[Google Mail]/Starred",
        ),
        advice=(
            "Google lets nobody in with their usual password: each mailbox needs "
            "2-Step Verification and an app password, and in Workspace the "
            "administrator has to allow IMAP."
        ),
        notes=(
            "Google lets 2 500 MB a day out of each mailbox by IMAP, what the owner's "
            "own programs read included: the limit below leaves them some. All Mail is left out, as it holds everything once more; "
            "but mail that was archived without a label lies nowhere else: to have "
            "that too, remove the line. In other languages these folders have other "
            "names."
        ),
        page="https://support.google.com/accounts/answer/185833",
        domains=("gmail.com", "googlemail.com"),
        receivers=((".google.com", ""), (".googlemail.com", "")),
    ),
    Preset(
        key="microsoft365",
        name="Microsoft 365 and Outlook.com",
        host="outlook.office365.com",
        parallel_runs=4,
        messages_a_second=4,
        left_out_folders=_without_mail("Files", "Sync Issues*"),
        advice=(
            "Microsoft lets nobody in with a password any more, not even with an app "
            "password: only sign-in by OAuth is left, which the panel cannot do. "
            "Copies from here will be refused."
        ),
        notes=(
            "A way out is to bring the mailboxes to a server that takes passwords "
            "first, such as a Dovecot of your own, with a program that knows OAuth."
        ),
        page=(
            "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
            "deprecation-of-basic-authentication-exchange-online"
        ),
        takes_passwords=False,
        domains=("outlook.com", "hotmail.com", "live.com", "msn.com"),
        receivers=((".protection.outlook.com", ""), (".mx.microsoft", "")),
    ),
    Preset(
        key="exchange",
        name="Exchange on a server of your own",
        parallel_runs=4,
        left_out_folders=_without_mail("Sync Issues*", "Public Folders*"),
        advice=(
            "The IMAP service of Exchange is off until somebody starts it. People "
            "sign in as DOMAIN\\name or with their whole address, with their usual "
            "password."
        ),
        notes="Calendars, contacts and tasks are left out: they are no mail.",
        page="https://learn.microsoft.com/exchange/clients/pop3-and-imap4/configure-imap4",
    ),
    Preset(
        key="yahoo",
        name="Yahoo",
        host="imap.mail.yahoo.com",
        parallel_runs=2,
        messages_a_second=10,
        advice=(
            "Yahoo wants an app password, made in the security settings of the "
            "account. The user name is the whole address."
        ),
        page=(
            "https://help.yahoo.com/kb/generate-manage-rd-party-passwords-sln15241.html"
        ),
        domains=("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "ymail.com"),
        receivers=((".yahoodns.net", ""),),
    ),
    Preset(
        key="icloud",
        name="iCloud",
        host="imap.mail.me.com",
        parallel_runs=2,
        messages_a_second=10,
        advice=(
            "Apple wants an app-specific password, for which two-factor "
            "authentication has to be on. The user name is mostly the part before "
            "@icloud.com; if that is refused, try the whole address."
        ),
        page="https://support.apple.com/102654",
        domains=("icloud.com", "me.com", "mac.com"),
        receivers=((".mail.icloud.com", ""),),
    ),
    Preset(
        key="zoho",
        name="Zoho",
        host="imappro.zoho.com",
        parallel_runs=3,
        messages_a_second=10,
        advice=(
            "IMAP has to be switched on in each mailbox, and whoever uses two-factor "
            "authentication needs an application-specific password."
        ),
        notes=(
            "Accounts of the European data centre are at imappro.zoho.eu, personal "
            "ones with an address of Zoho at imap.zoho.com."
        ),
        page="https://www.zoho.com/mail/help/imap-access.html",
        domains=("zohomail.com", "zohomail.eu"),
        receivers=(
            (".zoho.com", ""),
            (".zoho.eu", "imappro.zoho.eu"),
            (".zoho.in", "imappro.zoho.in"),
            (".zoho.com.au", "imappro.zoho.com.au"),
        ),
    ),
    Preset(
        key="godaddy",
        name="GoDaddy",
        host="imap.secureserver.net",
        parallel_runs=3,
        messages_a_second=10,
        advice=(
            "For Workspace Email and Professional Email, with the password of the "
            "mailbox."
        ),
        notes=(
            "Mailboxes that GoDaddy sold as Microsoft 365 are at Microsoft: choose "
            "that provider for them."
        ),
        page="https://www.godaddy.com/help",
        receivers=((".secureserver.net", ""),),
    ),
    Preset(
        key="ionos",
        name="IONOS",
        host="imap.ionos.com",
        parallel_runs=4,
        advice="With the whole address and the password of the mailbox.",
        notes=(
            "The server is named after the country of the contract, such as "
            "imap.ionos.de or imap.ionos.co.uk."
        ),
        page="https://www.ionos.com/help/email/",
        receivers=(
            (".ionos.com", ""),
            (".ionos.de", "imap.ionos.de"),
            (".ionos.co.uk", "imap.ionos.co.uk"),
            (".ionos.fr", "imap.ionos.fr"),
            (".ionos.es", "imap.ionos.es"),
            (".ionos.it", "imap.ionos.it"),
            (".kundenserver.de", "imap.ionos.de"),
        ),
    ),
    Preset(
        key="fastmail",
        name="Fastmail",
        host="imap.fastmail.com",
        parallel_runs=4,
        advice=(
            "Fastmail wants an app password with access to mail; its Basic plan has "
            "no IMAP. The user name is the whole address of the account."
        ),
        page="https://www.fastmail.help/hc/en-us/articles/360058752854",
        domains=("fastmail.com", "fastmail.fm"),
        receivers=((".messagingengine.com", ""),),
    ),
    Preset(
        key="yandex",
        name="Yandex",
        host="imap.yandex.com",
        parallel_runs=2,
        messages_a_second=10,
        advice=(
            "Yandex wants an app password, and IMAP has to be allowed in the "
            "settings of the mailbox under “Email clients”."
        ),
        page="https://yandex.com/support/passport/authorization/app-passwords.html",
        domains=("yandex.com", "yandex.ru", "ya.ru"),
        receivers=((".yandex.net", ""), (".yandex.ru", "imap.yandex.ru")),
    ),
    Preset(
        key="ovh",
        name="OVH",
        host="ssl0.ovh.net",
        parallel_runs=4,
        advice="For MX Plan, with the whole address and the password of the mailbox.",
        notes=(
            "Email Pro and Exchange have servers of their own, such as "
            "pro1.mail.ovh.net: the control panel names the one of your contract."
        ),
        page="https://help.ovhcloud.com/",
        receivers=((".mail.ovh.net", ""), (".ovh.net", "")),
    ),
    Preset(
        key="cpanel",
        name="Web hosting with cPanel",
        parallel_runs=3,
        messages_a_second=20,
        advice=(
            "The user name is the whole address, the password that of the mailbox."
        ),
        notes=(
            "The server mostly is called mail and then your domain; cPanel shows it "
            "under “Connect Devices”. Shared hosting counts connections: keep to a "
            "few at a time."
        ),
        page="https://docs.cpanel.net/cpanel/email/set-up-mail-client/",
    ),
    Preset(
        key="dovecot",
        name="Dovecot",
        parallel_runs=8,
        left_out_folders=("virtual/*", "Virtual/*"),
        advice=(
            "For a server that you or your provider runs, with whatever its accounts "
            "are called."
        ),
        notes=(
            "It lets ten connections of one user and one address in, unless "
            "mail_max_userip_connections says otherwise. Virtual folders are left "
            "out, as they hold other folders' mail once more."
        ),
        page="https://doc.dovecot.org/",
    ),
)
BY_KEY = {preset.key: preset for preset in PRESETS}


def by_domain(domain: str) -> Preset | None:
    """Return whose address this is, such as gmail.com."""
    return next((it for it in PRESETS if domain in it.domains), None)


def by_host(host: str) -> Preset | None:
    """Return the provider whose IMAP server this is."""
    for preset in PRESETS:
        if host and host in {preset.host, *(there for _, there in preset.receivers)}:
            return preset
    return None


def by_receiver(host: str) -> tuple[Preset, str] | None:
    """Return the provider that receives mail at `host`, and its IMAP server."""
    name = f".{host}"
    for preset in PRESETS:
        for ending, there in preset.receivers:
            if name.endswith(ending):
                return preset, there or preset.host
    return None
