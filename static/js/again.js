/* Loads the page once what it needs is back. It asks meanwhile, instead of loading itself
   again and again: whoever reads it is not thrown back to its beginning each time. */
const seconds = Number(document.querySelector("[data-again-after]").dataset.againAfter);

async function ask() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", redirect: "manual" });
    if (answer.status !== 503) return location.reload();
  } catch { /* nobody answers at all */ }
  setTimeout(ask, seconds * 1000);
}

setTimeout(ask, seconds * 1000);
