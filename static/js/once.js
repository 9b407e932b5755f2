/* A second click would be refused by the server, and its answer would hide the first. */
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-once]");
  if (!button) return;
  if (button.ariaDisabled === "true") event.preventDefault();
  button.ariaDisabled = "true";
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-once]")) button.ariaDisabled = null;
});
