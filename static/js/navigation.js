// Opening a conversation swaps the reading sheet; Back shows the list again without a request.
const root = document.documentElement;
const list = () => document.getElementById("list");
const reading = () => document.getElementById("reading");
const here = () => location.pathname + location.search;

let shown = "";
let reads = 0;

// Who wants to be asked for two seconds of reading first.
function markLater() {
  clearTimeout(reads);
  const article = document.querySelector("[data-mark-later]");
  const ids = [...article?.querySelectorAll(".message--unread") ?? []].map((one) => one.id.slice(2));
  if (ids.length) reads = setTimeout(() => {
    const data = new FormData(article.querySelector("[data-thread-form]"));
    data.delete("thread");
    data.delete("message");
    for (const [name, value] of [["read", ""], ["quiet", "1"], ...ids.map((id) => ["message", id])]) data.append(name, value);
    if (article.isConnected) fetch(article.querySelector("[data-thread-form]").action, { method: "POST", body: data });
  }, 2000);
}

// In a list of conversations the row of the conversation, in results that of the message.
const openedRow = () => {
  const { found, thread } = reading()?.querySelector("[data-thread]")?.dataset ?? {};
  return found ?? thread;
};

export function markCurrent() {
  const id = openedRow();
  for (const row of document.querySelectorAll("[data-row]")) {
    const current = row.id === `row-${id}`;
    row.classList.toggle("row--current", current);
    if (!current) continue;
    if (!document.querySelector("[data-mark-later]")) row.classList.remove("row--unread");
    if (shown !== id) row.scrollIntoView({ block: "nearest" });
  }
  shown = id;
}

function showNothing() {
  const sheet = reading();
  const last = openedRow();
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
  if (!event.detail.ctx.live) markLater();
  if (event.detail.ctx.live) return; // nothing scrolls by itself
  const found = reading()?.querySelector("[data-found]")?.dataset.found;
  const first = document.getElementById(`m-${found}`) ?? reading()?.querySelector(".message--unread");
  if (first && reading().scrollTop === 0) first.scrollIntoView({ block: "nearest" });
});
markLater();

// Where to go after archiving, for whoever does not want the list.
document.addEventListener("click", (event) => {
  const by = { next: 1, previous: -1 }[document.querySelector(".shell")?.dataset.after];
  const button = event.target.closest("[data-thread-form] button");
  if (!by || !["archive", "trash", "spam", "inbox", "move", "mute"].includes(button?.name)) return;
  const all = [...document.querySelectorAll("[data-row]")];
  const next = all[all.findIndex((row) => row.matches(".row--current")) + by];
  const href = next?.querySelector("[data-open]")?.getAttribute("href");
  if (href) button.form.elements.next.value = href;
}, true);
