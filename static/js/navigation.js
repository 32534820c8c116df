// Opening a conversation swaps the reading sheet; Back shows the list again without a request.
const root = document.documentElement;
const list = () => document.getElementById("list");
const reading = () => document.getElementById("reading");
const here = () => location.pathname + location.search;

let shown = "";

export function markCurrent() {
  const id = reading()?.querySelector("[data-thread]")?.dataset.thread;
  for (const row of document.querySelectorAll("[data-row]")) {
    const current = row.id === `row-${id}`;
    row.classList.toggle("row--current", current);
    if (!current) continue;
    row.classList.remove("row--unread");
    if (shown !== id) row.scrollIntoView({ block: "nearest" });
  }
  shown = id;
}

function showNothing() {
  const sheet = reading();
  const last = sheet.querySelector("[data-thread]")?.dataset.thread;
  sheet.replaceChildren(document.getElementById("nothing").content.cloneNode(true));
  markCurrent();
  document.title = list().dataset.title;
  document.querySelector(`#row-${CSS.escape(last ?? "")} [data-open]`)?.focus({ preventScroll: true });
}

// htmx would fetch the whole page on Back; the list is still here.
document.addEventListener("htmx:before:history:restore", (event) => {
  if (!list()) return;
  if (here() === list().dataset.list) {
    event.preventDefault();
    showNothing();
  } else if (/\/t\/[0-9a-f-]+\/$/.test(location.pathname)) {
    event.preventDefault();
    htmx.ajax("GET", here(), { target: "#reading", select: "#reading", swap: "outerHTML" });
  }
});

document.addEventListener("click", (event) => {
  const back = event.target.closest("[data-back]");
  if (back && list() && new URL(back.href).pathname === location.pathname) return;
  if (back && list() && back.getAttribute("href") === list().dataset.list) {
    event.preventDefault();
    history.pushState({ htmx: true }, "", back.href);
    showNothing();
  }
  const opener = event.target.closest("[data-open]");
  if (opener?.tagName === "BUTTON") document.getElementById(opener.dataset.open)?.showModal();
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("htmx:before:request", () => root.classList.add("is-loading"));
document.addEventListener("htmx:finally:request", () => root.classList.remove("is-loading"));
document.addEventListener("htmx:after:swap", (event) => {
  markCurrent();
  if (event.detail.ctx.live) return; // nothing scrolls by itself
  const unread = reading()?.querySelector(".message--unread");
  if (unread && reading().scrollTop === 0) unread.scrollIntoView({ block: "nearest" });
});
