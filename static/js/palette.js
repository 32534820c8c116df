// Ctrl+K: every place of the rail and every action of the keys, found by typing.
import { run } from "app/keys";

const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("ul");
const none = dialog.querySelector(".palette__none");
const MAX = 12;
let found = [];
let at = 0;

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const SKIPPED = ["palette", "help", "next", "previous", "message_next", "message_previous", "close", "open", "range"];

function places() {
  return [...document.querySelectorAll("#rail a[href]:not(.brand)")].map((link) => ({
    text: (link.querySelector(".rail__name") ?? link).textContent.trim(),
    key: "", go: () => link.click(),
  }));
}

function actions() {
  return [...document.querySelectorAll("#keys [data-action]")].map((line) => ({
    text: line.nextElementSibling.textContent, name: line.dataset.action,
    key: line.dataset.keys.split("|")[0], go: () => run(line.dataset.action),
  })).filter((one) => !SKIPPED.includes(one.name));
}

function show(all) {
  const words = plain(input.value).split(/\s+/).filter(Boolean);
  found = all.filter((one) => words.every((word) => plain(one.text).includes(word))).slice(0, MAX);
  list.replaceChildren(...found.map((one, index) => {
    const item = document.createElement("li");
    Object.assign(item, { id: `palette-${index}`, className: "palette__item", role: "option", textContent: one.text });
    if (one.key) item.append(Object.assign(document.createElement("kbd"), { className: "key", textContent: one.key }));
    item.addEventListener("click", () => pick(index));
    return item;
  }));
  none.hidden = found.length > 0;
  mark(0);
}

function mark(index) {
  at = Math.max(0, Math.min(index, found.length - 1));
  for (const [number, item] of [...list.children].entries()) item.ariaSelected = String(number === at);
  input.setAttribute("aria-activedescendant", found.length ? `palette-${at}` : "");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function pick(index) {
  const chosen = found[index];
  dialog.close();
  chosen?.go();
}

export function fill(onlyPlaces) {
  const all = onlyPlaces ? places() : [...places(), ...actions()];
  input.oninput = () => show(all);
  show(all);
}

input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown") mark(at + 1);
  else if (event.key === "ArrowUp") mark(at - 1);
  else if (event.key === "Enter") pick(at);
  else return;
  event.preventDefault();
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
