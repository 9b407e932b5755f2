"""What became of a message, in the words of the simulator."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.routing.model.accounts import Account, Place
from purelymanage.routing.model.following import End, Visit, Walk
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.model.unknowns import Unknown, unknowns
from purelymanage.routing.model.words import circle, listed, mailboxes, matched

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: `lead`, the `name` it is about, `text`, and a `note`."""

    name: str
    text: str
    lead: str = ""
    note: str = ""
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    tone: str
    title: str
    text: str
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    walk: Walk
    headline: str
    lead: str
    alarms: tuple[Alarm, ...]
    steps: tuple[Step, ...]
    unknowns: tuple[Unknown, ...]


def answer(account: Account, walk: Walk) -> Answer:
    return Answer(
        walk=walk,
        headline=_headline(walk),
        lead=_lead(walk),
        alarms=tuple(_alarms(walk)),
        steps=tuple(step for visit in walk.visits for step in _steps(walk, visit)),
        unknowns=tuple(unknowns(account, walk)),
    )


def _headline(walk: Walk) -> str:
    boxes, outside = walk.mailboxes, walk.outside
    if walk.start.end == End.OUTSIDE:
        return f"{walk.start.sight.domain} is not in this account"
    if boxes or outside:
        where = []
        if len(boxes) + len(outside) == 1:
            where = [f"at {boxes[0]}"] if boxes else [f"at {outside[0]}, outside"]
        else:
            if boxes:
                where.append(f"in {mailboxes(len(boxes))}")
            if outside:
                number = len(outside)
                many = "1 address" if number == 1 else f"{number} addresses"
                where.append(f"at {many} outside")
        return f"It ends {listed(where)}"
    if walk.circles:
        return "It goes round in a circle"
    if walk.ended(End.VEILED):
        return "It leads to a domain you may not see"
    if walk.ended(End.BOUNCE):
        return "PurelyMail refuses it"
    return "It goes to nobody"


def _lead(walk: Walk) -> str:
    start = walk.start
    if start.end == End.OUTSIDE:
        return "PurelyMail does not receive mail for it, so no rule is asked."
    said = []
    reached = [*walk.mailboxes, *walk.outside]
    if len(reached) > 1:
        said.append(f"{listed(reached, most=6)} each get a copy.")
    elif reached and reached[0] == start.read_as and not start.sight.rule:
        said.append("It is a mailbox, and no rule takes its mail.")
    elif reached:
        said.append("Nobody else gets a copy.")
    if veiled := walk.ended(End.VEILED):
        said.append(f"{listed(veiled, most=3)} lead on to where you may not see.")
    if not reached and walk.ended(End.BOUNCE):
        said.append("Its sender is told that there is no such user.")
    return " ".join(said)


def _alarms(walk: Walk) -> list[Alarm]:
    found = []
    if walk.circles:
        found.append(
            Alarm(
                "broken",
                f"Mail goes round in a circle: {circle(walk.circles[0])}.",
                "PurelyMail cuts it off after some redirects. Take one of the addresses "
                "out of the targets.",
            )
        )
    if (walk.mailboxes or walk.outside) and (lost := walk.ended(End.BOUNCE)):
        found.append(
            Alarm(
                "broken",
                f"PurelyMail refuses the copy to {listed(lost, most=3)}.",
                "There is no such mailbox, and no rule sends its mail on.",
            )
        )
    for visit in walk.visits:
        passed = visit.sight.is_mailbox and visit.end is None
        if passed and visit.read_as in walk.passed_over:
            found.append(
                Alarm(
                    "attention",
                    f"{visit.read_as} is a mailbox, but a rule takes all of its mail.",
                    f"Add {visit.read_as} to the targets of the rule if its owner "
                    "should keep a copy.",
                    visit.sight.rule,
                )
            )
    return found


def _steps(walk: Walk, visit: Visit) -> list[Step]:
    steps, sight = [], visit.sight
    lead = _target_lead(walk, visit)
    if sight.is_tagged and visit.end != End.CIRCLE:
        nothing = sight.read_as.startswith("@")
        steps.append(
            Step(
                sight.address,
                " has nothing before its symbol."
                if nothing
                else f" is read as {sight.read_as}.",
                lead,
                f"{sight.domain} ignores what follows a symbol.",
            )
        )
        lead = ""
    if visit.end is None and sight.rule:
        steps.append(_rule_step(visit, sight.rule, lead))
    else:
        steps.append(_end_step(visit, lead))
    return steps


def _target_lead(walk: Walk, visit: Visit) -> str:
    """Say whose target this is: “Its first target” right after the rule."""
    if visit.parent is None:
        return ""
    parent = walk.visits[visit.parent]
    place = sum(it.parent == visit.parent for it in walk.visits[: visit.number])
    targets = parent.sight.rule.targets if parent.sight.rule else ()
    which = ORDINALS[place] if place < len(ORDINALS) else f"{place + 1}th"
    which = f"{which} target" if len(targets) > 1 else "target"
    if visit.number == visit.parent + 1:
        return f"Its {which},"
    rule = parent.sight.rule
    return f"The {which} of the rule {rule.pattern if rule else ''},"


def _rule_step(visit: Visit, rule: Rule, lead: str) -> Step:
    sight = visit.sight
    over = ""
    if sight.over:
        how = ", which" if lead else ", so it"
        over = f"{how} wins over {listed((_short(it) for it in sight.over), most=3)}"
    goes_to = f" It goes to {listed(rule.targets, most=6)}." if rule.targets else ""
    note = ""
    if sight.is_mailbox:
        note = f"{visit.read_as} is a mailbox, but rules are asked first."
    text = f" {_why(rule)}{over}.{goes_to}"
    if lead:
        return Step(sight.read_as, f", {_fits(rule)}{over}.{goes_to}", lead, note, rule)
    return Step(matched(rule), text, "The rule for", note, rule)


def _why(rule: Rule) -> str:
    match rule.kind:
        case Kind.EXACT:
            return "matches exactly"
        case Kind.PREFIX:
            return "has the longest beginning that fits"
        case Kind.ANY:
            return "takes what no other rule is about"
        case Kind.CATCH_ALL:
            return "takes it, as there is no mailbox of this name"
    return "matches as far as anybody knows"


def _fits(rule: Rule) -> str:
    match rule.kind:
        case Kind.EXACT:
            return "has a rule of its own"
        case Kind.PREFIX:
            return f"fits the rule {rule.pattern}"
        case Kind.ANY:
            return f"is taken by the rule for any address at {rule.domain}"
        case Kind.CATCH_ALL:
            return f"has no mailbox, so the catch-all of {rule.domain} takes it"
    return f"fits the custom rule {rule.pattern}"


def _short(rule: Rule) -> str:
    match rule.kind:
        case Kind.ANY:
            return f"any address at {rule.domain}"
        case Kind.CATCH_ALL:
            return f"the catch-all of {rule.domain}"
    return rule.pattern


def _end_step(visit: Visit, lead: str) -> Step:
    sight = visit.sight
    comma = "," if lead else ""
    text, note = _end_words(visit)
    name = sight.address if visit.end in (End.OUTSIDE, End.VEILED) else sight.read_as
    if not name:
        name = "An empty target"
    return Step(name, f"{comma} {text}", lead, note)


def _end_words(visit: Visit) -> tuple[str, str]:
    sight = visit.sight
    match visit.end:
        case End.MAILBOX if visit.stays:
            return "is named by its own rule, so a copy stays in the mailbox.", ""
        case End.MAILBOX if sight.spared:
            domain = sight.domain
            note = f"The catch-all of {domain} leaves mailboxes alone."
            return "is a mailbox. The mail stays there.", note
        case End.MAILBOX:
            return "is a mailbox without a rule. The mail stays there.", ""
        case End.OUTSIDE:
            return "is outside this account.", "PurelyMail hands the mail over."
        case End.BOUNCE if sight.place == Place.NOWHERE:
            return "is no address. PurelyMail cannot deliver there.", ""
        case End.BOUNCE if visit.stays:
            return "is named by its own rule, but there is no such mailbox.", ""
        case End.BOUNCE:
            return (
                "is no mailbox, and no rule is about it.",
                "PurelyMail refuses it: “User isn't located here (5.1.1)”.",
            )
        case End.NOBODY:
            return "has a rule without targets.", "The mail goes to nobody."
        case End.CIRCLE:
            return "is where this copy came from.", f"{circle(visit.circle)}."
        case End.VEILED:
            return "is at a domain you may not see.", "What happens there is not told."
    return "was followed above already.", ""
