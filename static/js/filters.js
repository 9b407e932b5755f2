/* Filters of a list: an address without empty parts, and one step back for each. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.elt.matches("form.filters")) return;
  for (const [name, value] of [...detail.formData]) {
    if (value === "") detail.formData.delete(name);
  }
});

// Whoever filters and then presses Enter asks for the same once more.
document.addEventListener("htmx:beforeHistoryUpdate", ({ detail }) => {
  if (new URL(detail.history.path, location).href === location.href) detail.history.type = "replace";
});

// An answer that comes after its reader has gone back would lead forward again.
const asked = new Set();
document.addEventListener("htmx:beforeSend", ({ detail }) => asked.add(detail.xhr));
document.addEventListener("htmx:afterRequest", ({ detail }) => asked.delete(detail.xhr));
addEventListener("popstate", () => asked.forEach((xhr) => xhr.abort()));
