/* A list of addresses as chips, with mailboxes to choose from. The text area that is there
   without this stays the field that is sent: one address on each line. */
const spoken = document.getElementById("spoken");
const SEPARATOR = /[\s,;]/;
const PAUSE = 120;

/* Take a list apart as people paste it, also "Anna <anna@example.org>, …". */
function split(text) {
  const bare = text.replace(/"[^"\n]*"/g, " ").replace(/[^,;\n<>]*<([^<>]*)>/g, " $1 ");
  const found = bare.split(/[\s,;]+/).map((it) => it.replace(/^mailto:/, "").replace(/^["'(]+|["')]+$/g, ""));
  return [...new Set(found.map((it) => it.toLowerCase()).filter(Boolean))];
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function setUp(part) {
  const field = part.querySelector("textarea");
  const label = part.querySelector("label");
  const name = `${field.id}_new`;
  const list = element("ul", { class: "chips" });
  const input = element("input", {
    id: name, type: "text", role: "combobox", autocomplete: "off", autocapitalize: "none", spellcheck: "false", inputmode: "email",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${name}_list`,
  });
  const options = element("ul", { id: `${name}_list`, class: "suggestions", role: "listbox", "aria-label": "Mailboxes", hidden: "" });
  const box = element("div", { class: "chip-box" }, list, input);
  const known = new Map();
  let addresses = split(field.value);
  let active = -1;
  let timer = 0;
  let asked = "";

  for (const attribute of ["aria-describedby", "aria-invalid"]) {
    if (field.hasAttribute(attribute)) input.setAttribute(attribute, field.getAttribute(attribute));
  }
  label.htmlFor = name;
  field.hidden = true;
  field.after(element("div", { class: "chip-field" }, box, options));
  if (field.autofocus) input.focus();

  function draw() {
    list.replaceChildren(
      ...addresses.map((address) => {
        const remove = element("button", { type: "button", "aria-label": `Remove ${address}` });
        remove.addEventListener("click", () => {
          take(address);
          input.focus();
        });
        const chip = element("li", {}, element("span", {}, address), remove);
        if (!/^[^@]+@[^@]+$/.test(address)) chip.className = "wrong";
        return chip;
      }),
    );
    field.value = addresses.join("\n");
  }

  function changed(words) {
    draw();
    spoken.textContent = words;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function take(address) {
    addresses = addresses.filter((it) => it !== address);
    changed(`${address} removed.`);
  }

  function add(text) {
    const more = split(text).filter((it) => !addresses.includes(it));
    input.value = "";
    close();
    if (!more.length) return;
    addresses = [...addresses, ...more];
    changed(more.length === 1 ? `${more[0]} added.` : `${more.length} addresses added.`);
  }

  function close() {
    clearTimeout(timer);
    asked = "";
    active = -1;
    options.hidden = true;
    options.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(number) {
    const shown = [...options.children];
    active = shown.length ? (number + shown.length) % shown.length : -1;
    shown.forEach((it, place) => it.setAttribute("aria-selected", String(place === active)));
    if (active < 0) return;
    shown[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", shown[active].id);
  }

  function offer(found) {
    const fresh = found.filter((it) => !addresses.includes(it));
    options.replaceChildren(
      ...fresh.map((address, place) => {
        const option = element("li", { id: `${name}_${place}`, role: "option", "aria-selected": "false" }, address);
        // Before the field loses the focus.
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          add(address);
        });
        return option;
      }),
    );
    active = -1;
    input.removeAttribute("aria-activedescendant");
    options.hidden = fresh.length === 0;
    input.setAttribute("aria-expanded", String(fresh.length > 0));
  }

  async function suggest() {
    const words = input.value.trim().toLowerCase();
    if (!words) return close();
    asked = words;
    if (!known.has(words)) {
      try {
        const answer = await fetch(`${part.dataset.suggests}?${new URLSearchParams({ q: words })}`);
        known.set(words, (await answer.json()).addresses);
      } catch {
        return; // whoever knows the address can type it
      }
    }
    if (asked === words && document.activeElement === input) offer(known.get(words));
  }

  input.addEventListener("input", (event) => {
    event.stopPropagation(); // nothing has changed before it is a chip
    if (SEPARATOR.test(input.value)) return add(input.value);
    clearTimeout(timer);
    timer = setTimeout(suggest, PAUSE);
  });
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!SEPARATOR.test(text.trim())) return;
    event.preventDefault();
    add(input.value + text);
  });
  input.addEventListener("keydown", (event) => {
    const isOpen = !options.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen) mark(event.key === "ArrowDown" ? active + 1 : active < 0 ? -1 : active - 1);
      else suggest();
    } else if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      const chosen = options.children[active < 0 && !input.value.includes("@") ? 0 : active];
      add(chosen ? chosen.textContent : input.value);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      close();
    } else if (event.key === "Backspace" && !input.value && addresses.length) {
      take(addresses.at(-1));
    }
  });
  input.addEventListener("blur", () => add(input.value));
  box.addEventListener("click", ({ target }) => {
    if (target === box || target === list) input.focus();
  });
  draw();
}

for (const part of document.querySelectorAll("[data-chips]")) setUp(part);
