/* Copies the value of [data-copy], and says so. Buttons stay hidden where copying cannot
   work; the value beside them can be marked and copied by hand. */
const spoken = document.getElementById("spoken");

function reveal(part) {
  for (const button of part.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

async function write(text) {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  // A panel on plain http in a private network has no clipboard of its own.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("not copied");
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  try {
    await write(button.dataset.copy);
  } catch {
    spoken.textContent = "Could not copy. Mark the text and copy it by hand.";
    return;
  }
  button.focus();
  button.dataset.copied = "";
  spoken.textContent = "Copied.";
  setTimeout(() => {
    delete button.dataset.copied;
    spoken.textContent = "";
  }, 2000);
});

reveal(document);
document.addEventListener("htmx:load", ({ target }) => reveal(target));
