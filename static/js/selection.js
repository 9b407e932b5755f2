/* Choosing rows across the pages and filters of a list, kept for this tab. Without it the
   boxes of one page are sent, or all that the filter finds. */
const spoken = document.getElementById("spoken");
const NOTHING = { keys: [], all: null, last: [] };
let memory = {}; // where the browser keeps nothing
let anchor = null; // the row that a range begins at

const form = () => document.querySelector("form[data-selection]");
const boxes = (part) => [...part.querySelectorAll("tbody .pick input")];
const isBox = (element) => element.matches?.("form[data-selection] tbody .pick input");

function recall(part) {
  const name = part.dataset.selection;
  try {
    return { ...NOTHING, ...JSON.parse(sessionStorage.getItem(name)) };
  } catch {
    return { ...NOTHING, ...memory[name] };
  }
}

function keep(part, state) {
  const name = part.dataset.selection;
  memory[name] = state;
  try { sessionStorage.setItem(name, JSON.stringify(state)); } catch { /* this page only */ }
}

const inWords = (count) => count.toLocaleString("en").replaceAll(",", "\u202f");

function say(words) {
  spoken.textContent = words;
}

/* Show on the page what is chosen. */
function draw(part, state) {
  const chosen = new Set(state.keys);
  const here = boxes(part);
  const isAll = state.all !== null;
  for (const box of here) box.checked = isAll || chosen.has(box.value);
  const ticked = here.filter((box) => box.checked).length;
  const count = isAll ? Number(part.dataset.total) : chosen.size;

  for (const box of part.querySelectorAll("[data-chooses-page]")) {
    box.checked = here.length > 0 && ticked === here.length;
    box.indeterminate = ticked > 0 && ticked < here.length;
    box.disabled = here.length === 0;
  }
  const all = part.querySelector("[name=all]");
  if (all) all.checked = isAll;
  part.toggleAttribute("data-any", count > 0);
  part.querySelector(".chosen").dataset.count = inWords(count);
  const elsewhere = part.querySelector(".elsewhere");
  elsewhere.hidden = isAll || ticked === count;
  elsewhere.textContent = `(${inWords(count - ticked)} not on this page)`;

  const again = document.querySelector("[data-chooses-again]");
  if (again) {
    again.hidden = count > 0 || state.last.length === 0;
    again.textContent = `Choose the last ${inWords(state.last.length)} again`;
  }
  return count;
}

function change(part, state) {
  keep(part, state);
  const count = draw(part, state);
  say(count ? `${inWords(count)} chosen.` : "Nothing is chosen.");
}

/* Tick or untick some boxes. Whoever unticks one of all is left with this page. */
function choose(part, some, ticked) {
  const state = recall(part);
  const keys = new Set(state.all === null ? state.keys : boxes(part).map((box) => box.value));
  for (const box of some) {
    if (ticked) keys.add(box.value);
    else keys.delete(box.value);
  }
  change(part, { ...state, all: null, keys: [...keys] });
}

function begin() {
  const part = form();
  if (!part) return;
  for (const hidden of part.querySelectorAll("[data-needs-script][hidden]")) hidden.hidden = false;
  let state = recall(part);
  // "All that is found" would be something else under another filter.
  if (state.all !== null && state.all !== part.dataset.filter) {
    state = { ...state, all: null, keys: [] };
    keep(part, state);
  }
  draw(part, state);
}

document.addEventListener("click", (event) => {
  const box = event.target;
  const part = form();
  if (!part) return;
  if (isBox(box)) {
    const here = boxes(part);
    const from = event.shiftKey ? here.findIndex((it) => it.value === anchor) : -1;
    const to = here.indexOf(box);
    const some = from < 0 ? [box] : here.slice(Math.min(from, to), Math.max(from, to) + 1);
    choose(part, some, box.checked);
    anchor = box.value;
  } else if (box.closest("[data-chooses-nothing]")) {
    change(part, { ...recall(part), keys: [], all: null });
    boxes(part)[0]?.focus(); // the bar goes, and the button with it
  } else if (box.closest("[data-chooses-again]")) {
    const state = recall(part);
    change(part, { ...state, keys: state.last, last: [] });
    boxes(part)[0]?.focus();
  }
});

document.addEventListener("change", ({ target }) => {
  const part = target.closest?.("form[data-selection]");
  if (!part) return;
  if (target.matches("[data-chooses-page]")) {
    choose(part, boxes(part), target.checked);
  } else if (target.name === "all") {
    const all = target.checked ? part.dataset.filter : null;
    change(part, { ...recall(part), all, keys: [] });
  }
});

// A range is marked with the key held down; the words between are not meant.
document.addEventListener("mousedown", (event) => {
  if (event.shiftKey && isBox(event.target)) event.preventDefault();
});
// In a form, this key would press the first button of the bar.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && isBox(event.target)) event.preventDefault();
});

document.addEventListener("submit", ({ target }) => {
  if (!target.matches("form[data-selection]")) return;
  const state = recall(target);
  if (state.all === null) {
    const here = new Set(boxes(target).map((box) => box.value));
    target.addEventListener(
      "formdata",
      ({ formData }) => {
        for (const key of state.keys) if (!here.has(key)) formData.append("key", key);
      },
      { once: true },
    );
  }
  // It is handed over; whoever comes back without having used it can take it again.
  setTimeout(() => keep(target, { keys: [], all: null, last: state.all === null ? state.keys : [] }));
});

addEventListener("pageshow", begin);
document.addEventListener("htmx:load", begin);

// Taking a filter away takes the link away that had the focus.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (!detail.requestConfig?.elt.matches?.(".chips a")) return;
  (document.querySelector(".chips a") ?? document.querySelector("#filters [name=q]")).focus();
});
