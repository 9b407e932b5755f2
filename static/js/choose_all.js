/* Choosing all rows of a list that keeps no choice between its pages. */
const PART = "form.choosing:not([data-selection])";
const boxes = (part) => [...part.querySelectorAll("tbody .pick input")];

function draw(part) {
  const here = boxes(part);
  const ticked = here.filter((box) => box.checked).length;
  for (const box of part.querySelectorAll("[data-chooses-page]")) {
    box.checked = here.length > 0 && ticked === here.length;
    box.indeterminate = ticked > 0 && ticked < here.length;
  }
  const chosen = part.querySelector(".chosen"); // whoever may only look has none
  if (chosen) chosen.dataset.count = ticked;
}

function begin() {
  for (const part of document.querySelectorAll(PART)) {
    for (const hidden of part.querySelectorAll("[data-needs-script][hidden]")) hidden.hidden = false;
    draw(part);
  }
}

document.addEventListener("change", ({ target }) => {
  const part = target.closest?.(PART);
  if (!part) return;
  if (target.matches("[data-chooses-page]")) {
    for (const box of boxes(part)) box.checked = target.checked;
  }
  draw(part);
});

addEventListener("pageshow", begin);
document.addEventListener("htmx:load", begin);
