// Selection of rows, and changes that show at once and are taken back when the server refuses.
import { say } from "app/toasts";

const LEAVING = ["archive", "trash", "spam", "inbox", "move", "destroy"];
const checks = () => [...document.querySelectorAll(".row__check")];
let lastCheck = null;

export function refresh() {
  const all = checks();
  const chosen = all.filter((check) => check.checked).length;
  const count = document.querySelector("[data-selected-count]");
  if (count) count.textContent = chosen ? count.dataset.text.replace("#", chosen) : "";
  const master = document.querySelector("[data-select-all]");
  if (master) {
    master.checked = chosen > 0 && chosen === all.length;
    master.indeterminate = chosen > 0 && chosen < all.length;
  }
}

document.addEventListener("click", (event) => {
  const check = event.target.closest(".row__check");
  if (!check) return;
  const all = checks();
  const [from, to] = [all.indexOf(lastCheck), all.indexOf(check)].sort((a, b) => a - b);
  if (event.shiftKey && from >= 0) {
    for (const other of all.slice(from, to + 1)) other.checked = check.checked;
  }
  lastCheck = check;
});

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-select-all]")) {
    for (const check of checks()) check.checked = event.target.checked;
  }
  refresh();
});

function rowsOf(form, button) {
  const thread = button.name === "move" ? "" : button.value;
  const ids = thread ? [thread] : new FormData(form).getAll("thread");
  return ids.map((id) => document.getElementById(`row-${id}`)).filter(Boolean);
}

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  const button = ctx.request.submitter;
  if (!button || !ctx.sourceElement.matches("[data-change]")) return;
  ctx.rows = rowsOf(ctx.sourceElement, button);
  for (const row of ctx.rows) {
    if (LEAVING.includes(button.name)) row.classList.add("row--leaving");
    if (button.name === "read") row.classList.remove("row--unread");
    if (button.name === "unread") row.classList.add("row--unread");
  }
});

function takeBack(ctx, text) {
  for (const row of ctx?.rows ?? []) row.classList.remove("row--leaving");
  say(document.querySelector(".shell")?.dataset[text] ?? "");
}

// An answer that refuses is never put into the page.
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400) return;
  event.preventDefault();
  takeBack(ctx, ctx.response.status === 401 ? "signedOut" : "failed");
});
document.addEventListener("htmx:error", (event) => takeBack(event.detail.ctx, "offline"));
document.addEventListener("htmx:after:swap", refresh);
addEventListener("pageshow", refresh);
