/* The password field of a new mailbox: make another, hide and show, copy what is typed.
   Its buttons stay hidden without this; the server has put a password there already. */

// The same as in purelymanage/mailboxes/passwords.py.
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_LENGTH = 5;

function randomLetter() {
  // Drop what is left over at the end, or the first letters would come up more often.
  const limit = 256 - (256 % ALPHABET.length);
  const byte = new Uint8Array(1);
  do crypto.getRandomValues(byte);
  while (byte[0] >= limit);
  return ALPHABET[byte[0] % ALPHABET.length];
}

function makePassword() {
  const group = () => Array.from({ length: GROUP_LENGTH }, randomLetter).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}

function setUp(part) {
  const input = part.querySelector("input");
  const copy = part.querySelector("[data-copy]");
  const make = part.querySelector("[data-makes-password]");
  const hide = part.querySelector("[data-hides-password]");
  const spoken = document.getElementById("spoken");

  const follow = () => (copy.dataset.copy = input.value);
  input.addEventListener("input", follow);
  follow();

  make.addEventListener("click", () => {
    input.value = makePassword();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    spoken.textContent = "There is another password.";
  });
  hide.addEventListener("click", () => {
    const isHidden = input.type === "password";
    input.type = isHidden ? "text" : "password";
    hide.setAttribute("aria-pressed", String(!isHidden));
  });
  make.hidden = hide.hidden = false;
}

for (const part of document.querySelectorAll("[data-password]")) setUp(part);
