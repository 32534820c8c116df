// The open conversation: all messages at once, remote images of one of them, its actual size.
const messages = () => [...document.querySelectorAll("[data-message]")];

// The message that has the focus, else the last one that is open.
export function current() {
  const focused = document.activeElement?.closest("[data-message]");
  return focused ?? messages().filter((one) => one.open && one.checkVisibility()).at(-1);
}

export function unfold(open) {
  const all = messages();
  for (const group of document.querySelectorAll(".earlier")) group.open ||= open;
  for (const one of all) one.open = open || one === all.at(-1);
}

export function pressIn(selector) {
  current()?.querySelector(selector)?.click();
}

function showImages(message) {
  const frame = message.querySelector("iframe[data-frame]");
  const url = new URL(frame.src);
  url.searchParams.set("images", "1");
  frame.src = url.href;
  message.querySelector("[data-blocked]")?.remove();
  message.querySelector("summary")?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const images = event.target.closest("[data-images]");
  const all = event.target.closest("[data-unfold]");
  if (!images && !all) return;
  event.preventDefault();
  if (images) showImages(images.closest("[data-message]"));
  else unfold(all.dataset.unfold === "all");
});
