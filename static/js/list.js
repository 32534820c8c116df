// Selection of rows, and changes that show at once and are taken back when the server refuses.
import { say } from "app/toasts";

const LEAVING = ["archive", "trash", "spam", "inbox", "move", "destroy"];
const checks = () => [...document.querySelectorAll(".row__check")];
let lastCheck = null;

export function refresh() {
  const all = checks();
  const chosen = all.filter((check) => check.checked).length;
  const count = document.querySelector("[data-selected-count]");
  const everything = document.querySelector("[data-everything]");
  if (everything && !chosen) everything.checked = false;
  const shown = everything?.checked ? everything.dataset.everything || chosen : chosen;
  if (count) count.textContent = chosen ? count.dataset.text.replace("#", shown) : "";
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
  const chosen = event.target;
  if (chosen.matches?.("[data-select-all]") || (chosen.matches?.("[data-everything]") && chosen.checked)) {
    for (const check of checks()) check.checked = chosen.checked;
  }
  refresh();
});

function rowsOf(form, button) {
  const thread = ["move", "label", "unlabel"].includes(button.name) ? "" : button.value;
  const data = new FormData(form);
  const ids = thread === "all" ? [] : thread ? [thread.replace("m.", "")] : [...data.getAll("thread"), ...data.getAll("message")];
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

// What cannot be undone asks in a dialog; without scripts a page asks.
document.addEventListener("click", (event) => {
  const button = event.target.closest('button[name="destroy"]');
  const dialog = document.getElementById("sure");
  if (!button || !dialog || button.form.elements.sure) return;
  event.preventDefault();
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return button.focus();
    const sure = Object.assign(document.createElement("input"), { type: "hidden", name: "sure", value: "1" });
    button.form.append(sure);
    button.form.requestSubmit(button);
    sure.remove();
  };
  dialog.showModal();
}, true);

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
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("[data-everything]:checked")) {
    for (const check of document.querySelectorAll(".row__check, [data-everything]")) check.checked = false;
  }
  refresh();
});
addEventListener("pageshow", refresh);
