/* Keys, dialogs, menus and the drawer. Everything here has a way without it. */
const dialog = document.getElementById("keys");
const choice = dialog?.querySelector("[data-keys-switch]");
let went = 0; // when "g" was pressed

const stored = (name) => {
  try { return localStorage.getItem(name); } catch { return null; }
};

// A single key may clash with what a person speaks or types with: they can be turned off.
if (choice) {
  choice.checked = stored("keys") !== "off";
  choice.addEventListener("change", () => {
    try { localStorage.setItem("keys", choice.checked ? "on" : "off"); } catch { /* this page only */ }
  });
}

function closeWhatFloats() {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (location.hash === "#menu") {
    location.hash = "#main";
    document.querySelector("[href='#menu']")?.focus();
  }
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") closeWhatFloats();
  if (!choice?.checked || document.querySelector("dialog:modal")) return;
  if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) return;

  if (event.key === "/") {
    const field = document.querySelector("main input[type=search]") ?? document.querySelector(".sidebar input[type=search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "?") {
    dialog.showModal();
  } else if (event.key === "g") {
    went = Date.now();
  } else if (Date.now() - went < 1500) {
    went = 0;
    document.querySelector(`.nav [data-key="${CSS.escape(event.key)}"]`)?.click();
  }
});

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-opens]");
  if (opener) document.querySelector(opener.dataset.opens).showModal();
  const closer = target.closest("[data-closes]");
  if (closer) {
    closer.closest("dialog")?.close();
    closer.closest(".toast")?.remove();
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});

for (const hidden of document.querySelectorAll("[data-opens][hidden], [data-closes][hidden]")) hidden.hidden = false;
