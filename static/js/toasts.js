// Toasts go by themselves after a while, never while the pointer or the focus is on them.
const STAY_MS = 12_000;
const LOOK_MS = 700;
const seen = new WeakSet();
const place = () => document.getElementById("toasts");

export function say(text) {
  if (!text || !place()) return;
  place().innerHTML = '<div class="toast" data-toast><span class="toast__text"></span></div>';
  place().querySelector("span").textContent = text;
  watch();
}

// Long work: its toast looks how far it is, and stays until it is done.
async function follow(toast, url) {
  const response = toast.isConnected && await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!toast.isConnected || response?.status === 401 || response?.status === 404) return;
  if (!response?.ok) { setTimeout(follow, STAY_MS, toast, url); return; }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const next = document.adoptNode(page.querySelector("[data-toast]"));
  const focused = toast.contains(document.activeElement);
  toast.replaceWith(next);
  htmx.process(next);
  if (focused) next.querySelector("button")?.focus();
  watch();
}

function watch() {
  for (const toast of document.querySelectorAll("[data-toast]")) {
    if (seen.has(toast)) continue;
    seen.add(toast);
    const job = toast.dataset.job ?? toast.querySelector("[data-job]")?.dataset.job;
    if (job) { setTimeout(follow, LOOK_MS, toast, job); continue; }
    const here = toast.querySelector("[data-here]");
    if (here) here.value = location.pathname + location.search;
    const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
    setTimeout(leave, STAY_MS);
  }
}

document.addEventListener("htmx:after:swap", watch);
watch();
