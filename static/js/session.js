// A dead session loses no work: sign in over the page, then the same request is sent again.
const dialog = () => document.getElementById("sign-in");
let waiting = null;

const refused = (response) =>
  response.status === 401 || (response.status === 403 && response.headers.has("X-Csrf-Failure"));

const ask = (body) =>
  fetch("/login/", { method: body ? "POST" : "GET", body, headers: { "HX-Request": "true" } });

// Resolves to a new CSRF token, or to null when the person gives up.
export function signIn() {
  waiting ??= new Promise((resolve) => open(resolve)).finally(() => { waiting = null; });
  return waiting;
}

async function open(resolve) {
  const box = dialog();
  const place = box.querySelector("[data-sign-in-form]");
  place.innerHTML = await (await ask()).text();
  box.onclose = () => resolve(null);
  place.onsubmit = async (event) => {
    event.preventDefault();
    const response = await ask(new FormData(event.target));
    if (response.status !== 204) {
      place.innerHTML = await response.text();
      return;
    }
    if (response.headers.get("X-User") !== document.querySelector("[data-user]").dataset.user) {
      location.assign("/mail/");
      return;
    }
    const token = response.headers.get("X-Csrf-Token");
    for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = token;
    resolve(token);
    box.close();
    place.replaceChildren();
  };
  box.showModal();
}

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  ctx.fetch = async (url, options) => {
    const response = await fetch(url, options);
    if (!refused(response)) return response;
    clearTimeout(ctx.requestTimeout);
    const token = await signIn();
    if (!token) return response;
    options.body?.set?.("csrfmiddlewaretoken", token);
    return fetch(url, { ...options, signal: undefined });
  };
});
