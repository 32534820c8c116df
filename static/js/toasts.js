// Toasts go by themselves after a while, never while the pointer or the focus is on them.
const STAY_MS = 12_000;
const seen = new WeakSet();
const place = () => document.getElementById("toasts");

export function say(text) {
  if (!text || !place()) return;
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.toast = "";
  const line = document.createElement("span");
  line.className = "toast__text";
  line.textContent = text;
  toast.append(line);
  place().replaceChildren(toast);
  watch();
}

function watch() {
  for (const toast of document.querySelectorAll("[data-toast]")) {
    if (seen.has(toast)) continue;
    seen.add(toast);
    const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
    setTimeout(leave, STAY_MS);
  }
}

document.addEventListener("htmx:after:swap", watch);
watch();
