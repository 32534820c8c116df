// The frames of mail bodies: their height, their width on a phone, and the keys pressed in them.
// A message counts only when it comes from the window of a frame that we made.
const MAX_PX = 50_000;
const MIN_SCALE = 0.5;
const dark = matchMedia("(prefers-color-scheme: dark)");
const frames = () => [...document.querySelectorAll("iframe[data-frame]")];
const clamp = (value) => (Number.isFinite(value) ? Math.min(Math.max(value, 0), MAX_PX) : 0);
const sizes = new WeakMap();
const key = (frame) => `height:${frame.dataset.frame}:${frame.parentElement.clientWidth}`;

function resize(frame, height, width) {
  const room = frame.parentElement.clientWidth;
  const wide = width > room + 1;
  const scale = wide && !("actual" in frame.dataset) ? Math.max(room / width, MIN_SCALE) : 1;
  frame.style.width = wide ? `${width}px` : "";
  frame.style.transform = scale < 1 ? `scale(${scale})` : "";
  frame.style.height = `${height}px`;
  frame.parentElement.style.height = scale < 1 ? `${Math.ceil(height * scale)}px` : "";
  frame.parentElement.classList.toggle("message__stage--wide", width * scale > room + 1);
  const zoom = frame.parentElement.previousElementSibling;
  if (zoom?.matches("[data-zoom]")) zoom.hidden = !wide;
  sessionStorage.setItem(key(frame), String(height));
  sizes.set(frame, [height, width]);
}

document.addEventListener("click", (event) => {
  const zoom = event.target.closest("[data-zoom]");
  const frame = zoom?.nextElementSibling.querySelector("iframe");
  if (!frame) return;
  const actual = zoom.ariaPressed !== "true";
  zoom.ariaPressed = actual;
  frame.toggleAttribute("data-actual", actual);
  resize(frame, ...sizes.get(frame));
});

addEventListener("message", (event) => {
  const frame = frames().find((candidate) => candidate.contentWindow === event.source);
  const data = event.data;
  if (!frame || typeof data !== "object" || data === null) return;
  if (data.kind === "size") resize(frame, clamp(data.height), clamp(data.width));
  if (data.kind === "key" && typeof data.key === "string") {
    document.dispatchEvent(new CustomEvent("casilla:key", { detail: data.key }));
  }
});

function scheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
}

// The server cannot see the system's theme: tell it, and correct the frames of this page.
function dress() {
  const wanted = scheme();
  document.cookie = `scheme=${wanted}; path=/; max-age=31536000; samesite=lax`;
  for (const frame of frames()) {
    const url = new URL(frame.src);
    if (url.searchParams.get("theme") !== wanted) {
      url.searchParams.set("theme", wanted);
      frame.src = url.href;
    }
    const height = sessionStorage.getItem(key(frame));
    if (height && !frame.style.height) frame.style.height = `${clamp(Number(height))}px`;
    frame.contentWindow.postMessage(0, "*"); // again: we may be late
  }
}

dark.addEventListener("change", dress);
document.addEventListener("htmx:after:swap", dress);
dress();
