// Keys. Which do what is one table, which the server writes into the sheet (`?`); what is done is here.
// What cannot be undone is not among those that a mail frame may pass on.
import { pressIn, unfold } from "app/conversation";

const rows = () => [...document.querySelectorAll("[data-row]")];
const thread = () => document.querySelector("[data-thread]");
const messages = () =>
  [...document.querySelectorAll("[data-message] > summary")].filter((one) => one.checkVisibility());
const click = (selector, scope = document) => scope?.querySelector(selector)?.click();

function cursor() {
  const focused = document.activeElement?.closest("[data-row]");
  return focused ?? document.querySelector(".row--current");
}

function step(by) {
  const all = rows();
  const next = all[cursor() ? all.indexOf(cursor()) + by : 0];
  const link = next?.querySelector("[data-open]");
  link?.focus();
  if (thread()) link?.click();
}

function jump(by) {
  const all = messages();
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

// The selection first, then the open conversation, then the focused row.
function act(...names) {
  const selector = names.map((name) => `button[name="${name}"]`).join(",");
  const row = document.activeElement?.closest("[data-row]");
  if (document.querySelector(".row__check:checked")) click(selector, document.querySelector(".bulk"));
  else if (thread()) click(selector, document.querySelector("[data-thread-form]"));
  else if (row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    if (row.querySelector(selector)) click(selector, row);
    else withBulk(row, (bulk) => click(selector, bulk));
    next?.querySelector("[data-open]")?.focus();
  }
}

// What a row has no button for: as if it alone were selected.
function withBulk(row, use) {
  const check = row?.querySelector(".row__check");
  if (!check) return;
  check.checked = true;
  changed();
  use(document.querySelector(".bulk"));
}

const changed = () => document.dispatchEvent(new Event("change"));

// A menu of the selection, of the open conversation, or of the focused row.
function menu(selector) {
  const row = document.activeElement?.closest("[data-row]");
  const show = (scope) => {
    click(selector, scope);
    scope?.querySelector(`${selector}`)?.parentElement.querySelector(".menu__item")?.focus();
  };
  if (document.querySelector(".row__check:checked")) show(document.querySelector(".bulk"));
  else if (thread()) show(document.querySelector("[data-thread-form]"));
  else withBulk(row, show);
}

function choose(test) {
  for (const check of document.querySelectorAll(".row__check")) check.checked = test(check.closest("[data-row]"));
  changed();
}

function range() {
  const all = rows();
  const to = all.indexOf(cursor());
  const from = all.findLastIndex((row, index) => index < to && row.querySelector(".row__check:checked"));
  for (const row of all.slice(Math.max(from, 0), to + 1)) for (const check of row.querySelectorAll(".row__check")) check.checked = true;
  changed();
}

function everything() {
  choose(() => true);
  const all = document.querySelector("[data-everything]");
  if (all) all.checked = true;
  changed();
}

// Archiving goes on to a neighbour in the list.
function archive(by) {
  const all = rows();
  const href = all[all.indexOf(document.querySelector(".row--current")) + by]?.querySelector("[data-open]")?.getAttribute("href");
  const next = document.querySelector("[data-thread-form] [name=next]");
  const shell = document.querySelector(".shell");
  const after = shell.dataset.after;
  shell.dataset.after = "list";
  if (thread() && href && next) next.value = href;
  act("archive");
  shell.dataset.after = after;
}

function back(reload) {
  const menu = document.querySelector(".menu[open]");
  if (menu) { menu.open = false; return; }
  const chosen = document.querySelectorAll(".row__check:checked");
  for (const check of chosen) check.checked = false;
  if (chosen.length) changed();
  else if (thread() || !document.querySelector("[data-reload]")) click("[data-back]");
  else if (reload) click("[data-reload]");
}

// The message that has the focus, else the last one that is open.
function answer(how) {
  const focused = document.activeElement?.closest("[data-message]");
  const open = [...document.querySelectorAll("[data-message][open]")];
  click(`[data-answer="${how}"]`, focused ?? open.at(-1));
}

// Shown at once: what is typed while its module loads belongs to it.
function palette(onlyPlaces) {
  const dialog = document.getElementById("palette");
  dialog.querySelector("input").value = "";
  dialog.showModal();
  import("app/palette").then((module) => module.fill(onlyPlaces));
}

const ACTIONS = {
  write: () => click("[data-write]"),
  search: () => document.getElementById("q")?.select(),
  palette: () => palette(false),
  folder: () => palette(true),
  help: () => document.getElementById("keys")?.showModal(),
  undo: () => click("[data-undo]"),
  close: () => back(false),
  inbox: () => click('[data-role="inbox"]'),
  starred: () => click('[data-role="starred"]'),
  sent: () => click('[data-role="sent"]'),
  drafts: () => click('[data-role="drafts"]'),
  all_mail: () => click('[data-role="all"]'),
  contacts: () => click('#rail a[href^="/contacts/"]'),
  settings: () => click('#rail a[href^="/settings/"]'),
  next: () => step(1),
  previous: () => step(-1),
  open: () => click("[data-open]", cursor()),
  select: () => click(".row__check", cursor()),
  range,
  page: () => choose(() => true),
  none: () => choose(() => false),
  chosen_read: () => choose((row) => !row.matches(".row--unread")),
  chosen_unread: () => choose((row) => row.matches(".row--unread")),
  chosen_starred: () => choose((row) => row.querySelector(".row__star")),
  everything,
  newer: () => new URLSearchParams(location.search).has("after") && history.back(),
  older: () => click("[data-more]"),
  back: () => back(true),
  archive: () => act("archive"),
  archive_next: () => archive(1),
  archive_previous: () => archive(-1),
  trash: () => act("trash"),
  destroy: () => act("destroy"),
  spam: () => act("spam", "inbox"),
  star: () => act("star", "unstar"),
  read: () => act("read"),
  unread: () => act("unread"),
  move: () => menu("[data-move]"),
  label: () => menu("[data-label]"),
  mute: () => act("mute", "unmute"),
  reply: () => answer("r"),
  reply_all: () => answer("a"),
  forward: () => answer("f"),
  message_next: () => jump(1),
  message_previous: () => jump(-1),
  unfold: () => unfold(true),
  fold: () => unfold(false),
  details: () => pressIn("[data-details]"),
  images: () => pressIn("[data-images]"),
  original: () => pressIn("[data-original]"),
};

export const run = (action) => ACTIONS[action]?.();
const WAIT_MS = 1500;
const table = new Map();
for (const line of document.querySelectorAll("#keys [data-keys]")) {
  for (const keys of line.dataset.keys.split("|")) table.set(keys, line.dataset.action);
}
const firsts = new Set([...table.keys()].filter((keys) => keys.includes(" ")).map((keys) => keys.split(" ")[0]));
let first = "";
let wentAt = 0;

function press(pressed) {
  const both = Date.now() - wentAt < WAIT_MS ? `${first} ${pressed}` : "";
  const action = table.get(both) ?? table.get(pressed);
  wentAt = !table.has(both) && firsts.has(pressed) ? Date.now() : 0;
  first = pressed;
  if (action === "open" && pressed === "Enter") return false; // a link opens by itself
  if (action) run(action);
  return Boolean(action) || wentAt > 0;
}

const off = () => document.querySelector("[data-keys-off]") !== null;

document.addEventListener("keydown", (event) => {
  const control = (event.ctrlKey || event.metaKey) && !event.altKey && !event.getModifierState("AltGraph");
  const plain = event.getModifierState("AltGraph") || !(event.ctrlKey || event.metaKey || event.altKey);
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog[open], [contenteditable]");
  if (event.isComposing) return;
  if (control && (!typing || event.target.id === "q") && press(`Ctrl+${event.key.toLowerCase()}`)) event.preventDefault();
  if (!plain || typing) return;
  if (off() && event.key.length === 1) return;
  if (event.key === "Escape" && document.querySelector(":popover-open")) return; // the browser's
  if (event.key.startsWith("Arrow") && !event.target.closest?.("[data-row]")) return; // scrolls
  if (press(event.key === "Delete" && event.shiftKey ? "Shift+Delete" : event.key)) event.preventDefault();
});
document.addEventListener("casilla:key", (event) => { if (!off()) press(event.detail); });
