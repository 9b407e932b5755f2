/* Buttons that print the page; without this the browser's own menu does. */
for (const button of document.querySelectorAll("[data-prints]")) {
  button.addEventListener("click", () => print());
  button.hidden = false;
}
