/* Parts that ask for themselves again: says when the panel does not answer any more, puts
   the progress of what runs into the title of the tab, and speaks of what has changed. */
const spoken = document.getElementById("spoken");
const told = new Map();
const lost = document.getElementById("lost");
const failed = document.getElementById("failed");
const title = document.title;
let answeredAt = new Date();

const isLive = (element) => element?.getAttribute?.("hx-trigger")?.includes("every");

function entitle() {
  const words = document.querySelector("[data-title]")?.dataset.title;
  document.title = words ? `${words} ${title}` : title;
}

function sayLost() {
  const time = lost.querySelector("time");
  time.textContent = answeredAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  time.dateTime = answeredAt.toISOString();
  lost.hidden = false;
}

function sayFailed(xhr) {
  const known = failed.dataset[`on${xhr.status}`];
  // Whoever runs the panel finds it in the log by its name.
  const name = xhr.status >= 500 ? xhr.getResponseHeader("X-Request-ID") : null;
  const quote = name && !known ? ` Quote ${name}.` : "";
  failed.querySelector("p").textContent = `${known ?? failed.dataset.otherwise}${quote}`;
  failed.hidden = false;
}

// A page that PurelyMail left without an answer says so itself. Its 502 is told from that
// of a proxy by the header.
const saysSo = (xhr) => xhr.status === 502 && xhr.getResponseHeader("HX-Reswap");

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (saysSo(detail.xhr)) detail.shouldSwap = true;
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful) return;
  answeredAt = new Date();
  lost.hidden = failed.hidden = true;
});

// Not of every request that ends without success: one that was called back has not failed.
for (const fault of ["sendError", "timeout", "responseError"]) {
  document.addEventListener(`htmx:${fault}`, ({ detail: { xhr, elt } }) => {
    if (isLive(elt) && (xhr.status === 0 || xhr.status >= 500)) sayLost();
    else if (xhr.status !== 422 && !saysSo(xhr)) sayFailed(xhr);
  });
}

// What is drawn anew every few seconds is spoken when it says something else, and only then.
function speak() {
  for (const { id, dataset } of document.querySelectorAll("[data-says]")) {
    if (told.has(id) && dataset.says && told.get(id) !== dataset.says) spoken.textContent = dataset.says;
    told.set(id, dataset.says);
  }
}

for (const tell of [entitle, speak]) {
  document.addEventListener("htmx:afterSettle", tell);
  tell();
}
