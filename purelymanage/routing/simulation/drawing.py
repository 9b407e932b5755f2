"""Drawing a walk: boxes and arrows, once for wide places and once for narrow ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from purelymanage.routing.model.following import End, Visit, Walk
from purelymanage.routing.model.rules import Kind, Rule

MOST_BOXES = 24
HEIGHT, GAP = 48, 22
# Of a letter, on average.
LETTER = 7.6
KINDS = {
    Kind.EXACT: "exact address",
    Kind.PREFIX: "beginning",
    Kind.ANY: "any address",
    Kind.CATCH_ALL: "catch-all",
    Kind.CUSTOM: "custom",
}
ENDS = {
    End.MAILBOX: ("to", "mailbox"),
    End.OUTSIDE: ("away", "outside this account"),
    End.BOUNCE: ("broken", "refused"),
    End.NOBODY: ("broken", "rule without targets"),
    End.CIRCLE: ("broken", "a circle, cut off"),
    End.AGAIN: ("away", "followed already"),
    End.VEILED: ("away", "a domain you may not see"),
}


@dataclass(slots=True)
class Box:
    """`look` is a class of the style sheet."""

    look: str
    title: str
    note: str
    depth: int
    children: list[Box] = field(default_factory=list)
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = HEIGHT

    @property
    def words(self) -> str:
        return _cut(self.title, self.width)

    @property
    def small_words(self) -> str:
        return _cut(self.note, self.width * 1.06)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    path: str
    head: str
    is_lost: bool


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """`broad` is None where it would need more columns than a page has."""

    broad: Picture | None
    tall: Picture


def draw(walk: Walk) -> Pictures | None:
    """Return the pictures of a walk, or None where nobody would find a way in them."""
    root = _tree(walk)
    boxes = list(_all(root))
    if len(boxes) > MOST_BOXES:
        return None
    columns = max(box.depth for box in boxes) + 1
    broad = _broad(root, columns) if columns <= 4 else None
    return Pictures(broad, _tall(_tree(walk)))


def _tree(walk: Walk) -> Box:
    start = walk.start
    note = ""
    if start.sight.is_tagged:
        note = f"read as {start.read_as}"
    root = Box("from", start.address, note or "mail arrives", 0)
    boxes: dict[int, Box] = {}
    for visit in walk.visits:
        parent = root if visit.parent is None else boxes[visit.parent]
        box = _box(visit, parent.depth + 1)
        boxes[visit.number] = box
        parent.children.append(box)
    for visit in walk.visits:
        if visit.end is None and visit.read_as in walk.passed_over:
            box = boxes[visit.number]
            lost = Box("lost", visit.read_as, "mailbox, gets nothing", box.depth + 1)
            box.children.append(lost)
    return root


def _box(visit: Visit, depth: int) -> Box:
    rule = visit.sight.rule
    if visit.end is None and rule:
        return Box("rule", f"Rule: {rule.pattern}", _rule_note(rule), depth)
    look, note = ENDS[visit.end or End.AGAIN]
    if visit.stays:
        note = "keeps a copy" if visit.end == End.MAILBOX else "refused, no mailbox"
    elif visit.is_repeated and visit.end == End.MAILBOX:
        note = "mailbox, once more"
    shown = visit.read_as if look in ("to", "broken") else visit.address
    return Box(look, shown or "no address", note, depth)


def _rule_note(rule: Rule) -> str:
    number = len(rule.targets)
    return f"{KINDS[rule.kind]}, {number} target{'' if number == 1 else 's'}"


def _all(box: Box) -> list[Box]:
    return [box, *(it for child in box.children for it in _all(child))]


def _broad(root: Box, columns: int) -> Picture:
    """Columns from left to right, each box in the middle of those it leads to."""
    width, between = 980, 40
    box_width = min(270.0, (width - 2 - between * (columns - 1)) / columns)
    next_y = 1.0

    def place(box: Box) -> None:
        nonlocal next_y
        box.width = box_width
        box.x = 1 + box.depth * (box_width + between)
        for child in box.children:
            place(child)
        if box.children:
            box.y = (box.children[0].y + box.children[-1].y) / 2
        else:
            box.y = next_y
            next_y += HEIGHT + GAP

    place(root)
    boxes = _all(root)
    arrows = tuple(_across(box, child) for box in boxes for child in box.children)
    return Picture(width, round(next_y - GAP + 1), tuple(boxes), arrows)


def _across(box: Box, child: Box) -> Arrow:
    x, y, to_x, to_y = box.x + box.width, box.middle, child.x, child.middle
    half = (x + to_x) / 2
    return Arrow(
        f"M{x:g} {y:g}C{half:g} {y:g} {half:g} {to_y:g} {to_x - 6:g} {to_y:g}",
        f"M{to_x - 1:g} {to_y:g}l-7-4.5v9Z",
        is_lost=child.look == "lost",
    )


def _tall(root: Box) -> Picture:
    """One below the other, further in with each rule."""
    width = 340
    boxes = _all(root)
    deepest = max(box.depth for box in boxes)
    step = min(28.0, 140 / max(deepest - 1, 1))
    y = 1.0
    for box in boxes:
        # What the start leads to is the only thing below it.
        box.x = 1 + max(box.depth - 1, 0) * step
        box.width = width - 1 - box.x
        box.y = y
        y += HEIGHT + GAP
    arrows = [_down(it, child, step) for it in boxes for child in it.children]
    return Picture(width, round(y - GAP + 1), tuple(boxes), tuple(arrows))


def _down(box: Box, child: Box, step: float) -> Arrow:
    x, y = box.x + step / 2, box.y + box.height
    is_lost = child.look == "lost"
    if child.depth == 1:
        return Arrow(
            f"M{x:g} {y:g}V{child.y - 6:g}",
            f"M{x:g} {child.y - 1:g}l-4.5-7h9Z",
            is_lost=is_lost,
        )
    to_y = child.middle
    bend = min(10.0, child.x - x - 7)
    return Arrow(
        f"M{x:g} {y:g}V{to_y - bend:g}Q{x:g} {to_y:g} {x + bend:g} {to_y:g}"
        f"H{child.x - 6:g}",
        f"M{child.x - 1:g} {to_y:g}l-7-4.5v9Z",
        is_lost=is_lost,
    )


def _cut(text: str, width: float) -> str:
    """Leave out the middle of what does not fit into a box."""
    most = int((width - 18) / LETTER)
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[-end:]}"
