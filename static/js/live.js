// News without a reload: one event stream for all tabs of this browser, else a look every minute.
// Events carry ids only; each tab fetches what it shows. Focus, scroll and selection stay.
const LOOK_MS = 60_000;
const HIDDEN_MS = 5 * 60_000;
const GATHER_MS = 150;
const shell = document.querySelector("[data-mailbox]");
const channel = new BroadcastChannel(`casilla-${shell.dataset.user}`);
const waiting = new Set();
let source = null;
let release = null;
let asking = null;
let heardAt = 0;
let timer = 0;
let isOver = false;

// --- One stream a browser: the tab that holds the lock has it ---
function lead() {
  if (asking || isOver || !navigator.locks) return;
  asking = new AbortController();
  const held = () => new Promise((resolve) => { release = resolve; open(); });
  navigator.locks.request(channel.name, { signal: asking.signal }, held).catch(() => {});
}

function open() {
  source = new EventSource("/events/");
  source.onopen = () => pass({ all: true });
  source.addEventListener("ping", () => pass({}));
  source.addEventListener("changed", (event) => pass(JSON.parse(event.data)));
  source.onerror = () => {
    if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    rest();
    setTimeout(lead, LOOK_MS * (0.5 + Math.random()));
  };
}

function rest() {
  source?.close();
  asking?.abort();
  release?.();
  source = asking = release = null;
}

function pass(news) {
  channel.postMessage(news);
  hear(news);
}

function hear(news) {
  heardAt = Date.now();
  if (news.all) waiting.add("mail").add("sending");
  for (const what of ["mail", "sending"]) {
    if (news[what]) waiting.add(what); // of any mailbox: the rail tells of all
  }
  if (waiting.size && !timer) timer = setTimeout(refresh, GATHER_MS);
}
channel.onmessage = (event) => hear(event.data);

// --- What the tab shows ---
async function fetched(url) {
  // As the browser asked for the page itself, so that it knows what it has when nothing changed.
  const response = await fetch(url);
  if (response.redirected) { isOver = true; rest(); } // the next click asks to sign in
  if (!response.ok || response.redirected) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function refresh() {
  const what = new Set(waiting);
  waiting.clear();
  timer = 0;
  try {
    if (what.size) await refreshList();
    if (what.has("sending")) for (const one of document.querySelectorAll('[data-live="sending"]')) await refreshPart(one);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // offline: the next look finds it
  }
}

function swap(target, from, title) {
  return htmx.swap({
    text: from.outerHTML, target, sourceElement: document.body, live: true,
    swap: `outerMorph${title ? "" : " ignoreTitle:true"}`,
  });
}

const isBusy = (element) => element.querySelector(".menu[open], .row__check:checked") !== null;

async function refreshList() {
  const list = document.getElementById("list");
  const fresh = list && await fetched(list.dataset.list);
  if (!fresh?.getElementById("list")) return;
  if (document.hidden && "notify" in shell.dataset) import("app/notices").then((notices) => notices.tell(list, fresh));
  await refreshRail(fresh);
  if (!document.querySelector("[data-thread], .document")) document.title = fresh.title;
  const next = fresh.getElementById("list");
  tellThread(next);
  const isFirst = !new URL(list.dataset.list, location).searchParams.has("after");
  if (isFirst && list.scrollTop < 8 && !isBusy(list)) await swap(list, next);
  else if (isFirst && newest(next) !== newest(list)) offer(list);
}

async function refreshRail(fresh) {
  const [rail, next] = [document.getElementById("rail"), fresh.getElementById("rail")];
  if (rail && next && !isBusy(rail) && !rail.matches(":popover-open")) await swap(rail, next);
  markIcon();
}

const newest = (list) => {
  const row = list.querySelector("[data-row]");
  return row && `${row.id} ${row.querySelector("time")?.dateTime}`;
};

// Rows never jump under the pointer: whoever has scrolled or selected is asked.
function offer(list) {
  if (list.querySelector("[data-news]")) return;
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "button button--primary news";
  pill.dataset.news = "";
  pill.textContent = shell.dataset.news;
  pill.onclick = async () => {
    const fresh = await fetched(list.dataset.list);
    list.scrollTop = 0;
    pill.remove();
    if (fresh?.getElementById("list")) await swap(list, fresh.getElementById("list"));
    list.querySelector("[data-open]")?.focus({ preventScroll: true });
  };
  list.querySelector(".list__head").after(pill);
}

const amount = (row) => Number(row.querySelector(".row__amount")?.textContent ?? 1);

// A conversation that is open grows only when its reader says so.
function tellThread(list) {
  const thread = document.querySelector("[data-thread]");
  const row = thread && list.querySelector(`#row-${CSS.escape(thread.dataset.thread)}.row--unread`);
  const before = row && document.getElementById(row.id);
  if (!before || amount(row) <= amount(before) || thread.querySelector("[data-news]")) return;
  const link = row.querySelector("[data-open]").cloneNode();
  link.className = "button button--primary news";
  link.dataset.news = "";
  delete link.dataset.open;
  link.textContent = shell.dataset.newsHere;
  thread.querySelector(".thread__head").after(link);
  htmx.process(link);
}

async function refreshPart(element) {
  const page = await fetched(element.dataset.liveUrl);
  const fresh = page?.getElementById(element.id);
  if (!fresh || !element.isConnected) return;
  await refreshRail(page);
  for (const details of [element, ...element.querySelectorAll("details[id][open]")]) {
    const twin = details === element ? fresh : fresh.querySelector(`#${CSS.escape(details.id)}`);
    if (details.open && twin) twin.open = true;
  }
  await swap(element, fresh);
}

// --- The icon of the tab says that something is unread in the inbox ---
const icon = document.querySelector('link[rel="icon"]');
const plainIcon = icon.href;
function markIcon() {
  const href = document.querySelector("[data-role=inbox] .rail__count") ? icon.dataset.unread : plainIcon;
  if (icon.getAttribute("href") !== href) icon.href = href;
}
document.addEventListener("htmx:after:swap", markIcon);
markIcon();
// Which of the other mailboxes are unfolded: the server draws them so.
document.addEventListener("toggle", ({ target }) => {
  if (!target.matches("[data-box]")) return;
  const open = [...document.querySelectorAll("[data-box][open]")].map((one) => one.dataset.box);
  document.cookie = `boxes=${open.join(".")}; path=/; max-age=31536000; samesite=lax`;
}, true);
if ("notify" in shell.dataset || document.querySelector("[data-drop]")) import("app/notices");

// --- When to listen ---
let hiding = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden && !("notify" in shell.dataset)) { hiding = setTimeout(rest, HIDDEN_MS); return; }
  if (Date.now() - heardAt > LOOK_MS / 2) hear({ all: true });
  lead();
});
addEventListener("pagehide", rest);
addEventListener("pageshow", (event) => { if (event.persisted) { hear({ all: true }); lead(); } });
setInterval(() => {
  if (!isOver && !document.hidden && Date.now() - heardAt > LOOK_MS) hear({ all: true });
}, LOOK_MS);
lead();
// Another tab has the stream: what came while this page was drawn is looked up once.
setTimeout(() => { if (!heardAt) hear({ all: true }); }, 1000);
