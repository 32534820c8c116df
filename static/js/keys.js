// Single-letter keys. What cannot be undone is not among those that a mail frame may pass on.
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
    click(selector, row);
    next?.querySelector("[data-open]")?.focus();
  }
}

function back() {
  const menu = document.querySelector(".menu[open]");
  if (menu) { menu.open = false; return; }
  const chosen = document.querySelectorAll(".row__check:checked");
  for (const check of chosen) check.checked = false;
  if (chosen.length) document.dispatchEvent(new Event("change"));
  else click("[data-back]");
}

// The message that has the focus, else the last one that is open.
function answer(how) {
  const focused = document.activeElement?.closest("[data-message]");
  const open = [...document.querySelectorAll("[data-message][open]")];
  click(`[data-answer="${how}"]`, focused ?? open.at(-1));
}

const KEYS = {
  c: () => click("[data-write]"),
  r: () => answer("r"), a: () => answer("a"), f: () => answer("f"),
  j: () => step(1), ArrowDown: () => step(1),
  k: () => step(-1), ArrowUp: () => step(-1),
  o: () => click("[data-open]", cursor()),
  x: () => click(".row__check", cursor()),
  n: () => jump(1), p: () => jump(-1),
  u: back, Escape: back,
  e: () => act("archive"), "#": () => act("trash"), Delete: () => act("trash"),
  "!": () => act("spam", "inbox"), s: () => act("star", "unstar"),
  I: () => act("read"), U: () => act("unread"),
  z: () => click("[data-undo]"),
  v: () => click("[data-move]"),
  "?": () => document.getElementById("keys")?.showModal(),
};
let wentAt = 0;

function press(pressed) {
  if (pressed === "i" && Date.now() - wentAt < 1500) return click('[data-role="inbox"]') ?? true;
  if (pressed === "g") wentAt = Date.now();
  const run = KEYS[pressed];
  if (run) run();
  return Boolean(run);
}

document.addEventListener("keydown", (event) => {
  const plain = event.getModifierState("AltGraph") || !(event.ctrlKey || event.metaKey || event.altKey);
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog[open], [contenteditable]");
  if (!plain || typing || event.isComposing) return;
  if (event.key === "Delete" && event.shiftKey) return;
  if (event.key === "Escape" && document.querySelector(":popover-open")) return; // the browser's
  if (event.key.startsWith("Arrow") && !event.target.closest?.("[data-row]")) return; // scrolls
  if (press(event.key)) event.preventDefault();
});
document.addEventListener("casilla:key", (event) => press(event.detail));
