/* Passkeys: asks the browser for one and sends what it answers. Where that cannot work
   the button stays hidden and the page says why. */
const isAddress = /^[\d.]+$|:/.test(location.hostname); // passkeys belong to names
const offered = Boolean(window.isSecureContext && window.PublicKeyCredential && !isAddress);

const toBytes = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};
const toText = (buffer) => {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};
const described = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));

async function create({ publicKey }) {
  const { user, challenge, excludeCredentials, authenticatorSelection } = publicKey;
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: toBytes(challenge),
      user: { ...user, id: toBytes(user.id) },
      excludeCredentials: described(excludeCredentials),
      // Kept on the device where it can, so that it finds the person by itself later.
      authenticatorSelection: { ...authenticatorSelection, residentKey: "preferred", requireResidentKey: false },
    },
  });
}

async function get({ publicKey }) {
  const { challenge, allowCredentials } = publicKey;
  return navigator.credentials.get({
    publicKey: { ...publicKey, challenge: toBytes(challenge), allowCredentials: described(allowCredentials) },
  });
}

function serialise(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
}

async function readOptions(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  return (await answer.json()).request_options;
}

function explain(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey for you already.";
  if (error.name === "NotAllowedError") return "The device did not agree, or it took too long. Try again.";
  return "The passkey could not be used. Try again, or use another way.";
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  const button = form.querySelector("[data-passkey-start]");
  const failed = form.querySelector("[data-passkey-error]");
  const missing = form.querySelector("[data-passkey-missing]");
  if (missing) missing.hidden = offered;
  if (!offered) continue;
  for (const hidden of [button, form.hidden ? form : null]) if (hidden) hidden.hidden = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (failed) failed.hidden = true;
    button.disabled = true;
    try {
      const ask = form.dataset.passkey === "create" ? create : get;
      const credential = await ask(await readOptions(form));
      form.elements.credential.value = serialise(credential);
      form.submit();
    } catch (error) {
      button.disabled = false;
      failed.querySelector("span").textContent = explain(error);
      failed.hidden = false;
    }
  });
}
