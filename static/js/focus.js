/* Where the focus goes when what had it is drawn anew. htmx itself only finds elements
   with an id again; without this, the next Tab would begin at the top of the page. */
const CONTROLS = "a[href], button, input, select, textarea, summary";
let opener = ""; // what a form was opened with
let left = null; // what had the focus, until somebody moves it

const said = (it) => it.getAttribute("aria-label") ?? it.name ?? it.textContent;
const sign = (it) => `${it.localName} ${said(it) || it.textContent}`.replace(/\s+/g, " ").trim();

const isNowhere = () => !document.activeElement || document.activeElement === document.body;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const focused = document.activeElement;
  if (isNowhere() || !detail.target.contains(focused)) return;
  const root = detail.target.id;
  left = { sign: sign(focused), root, isPager: Boolean(focused.closest(".pager")) };
  if (!focused.closest("form")) opener = left.sign;
});

document.addEventListener("htmx:afterSettle", () => {
  if (!left || !isNowhere()) return;
  const root = document.getElementById(left.root);
  if (!root) return;
  // Who turns the page goes on reading at its beginning.
  if (left.isPager) root.tabIndex = -1;
  const controls = [...root.querySelectorAll(CONTROLS)];
  const find = (wanted) => controls.find((it) => sign(it) === wanted);
  // After a form, saved or not, one is back where one opened it.
  const again = left.isPager ? root : find(left.sign) ?? find(opener);
  again?.focus({ preventScroll: true });
});

document.addEventListener("focusin", () => { left = null; });

// A menu that one has left by the keyboard is out of the way.
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const menu = target.closest("details.menu[open]");
  if (menu && relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
});
