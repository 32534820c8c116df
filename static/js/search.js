// What one may go on with while typing a search (ARIA combobox), and the form below the box.
// Loaded when the box is first used; without it Enter and the link to the form do the same.
const form = document.querySelector("[data-search]");
const input = form.querySelector("input");
const panel = document.getElementById("search-panel");
const more = form.querySelector("[data-search-more]");
const list = document.createElement("ul");
const WAIT_MS = 120;
const ICONS = { person: "user-round", folder: "folder", label: "tag", operator: "search" };
const sprite = more.querySelector("use").getAttribute("href").split("#")[0];
let offers = [];
let current = -1;
let timer = 0;
let asking = null;

list.className = "offers";
list.id = "search-offers";
list.role = "listbox";
list.hidden = true;
list.setAttribute("aria-label", input.getAttribute("aria-label"));
form.after(list);
input.role = "combobox";
input.setAttribute("aria-autocomplete", "list");
input.setAttribute("aria-controls", list.id);
input.setAttribute("aria-expanded", "false");

function mark(at) {
  current = at;
  [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
  if (at < 0) input.removeAttribute("aria-activedescendant");
  else input.setAttribute("aria-activedescendant", list.children[at].id);
}

function close() {
  clearTimeout(timer);
  asking?.abort();
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  mark(-1);
}

function pick(at) {
  input.value = offers[at][0];
  close();
  input.focus();
  if (input.value.endsWith(":")) ask();
}

function icon(kind) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.classList.add("icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${ICONS[kind]}`);
  svg.append(use);
  return svg;
}

function show() {
  list.replaceChildren(...offers.map(([, name, note, kind], at) => {
    const item = document.createElement("li");
    const what = document.createElement("bdi");
    const beside = document.createElement("span");
    item.id = `${list.id}-${at}`;
    item.role = "option";
    item.className = "offers__item";
    what.className = "offers__name";
    what.textContent = name;
    beside.className = "offers__note";
    beside.textContent = note;
    item.append(icon(kind), what, beside);
    item.addEventListener("mousedown", (event) => { event.preventDefault(); pick(at); });
    return item;
  }));
  list.hidden = offers.length === 0;
  input.setAttribute("aria-expanded", String(offers.length > 0));
  mark(-1);
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const asked = input.value;
  try {
    const address = `${form.dataset.search}?q=${encodeURIComponent(asked)}`;
    const response = await fetch(address, { headers: { "HX-Request": "true" }, signal: asking.signal });
    offers = response.ok ? (await response.json()).offers : [];
    if (input.value === asked && document.activeElement === input) show();
  } catch { /* a newer question, or no network: one types on */ }
}

function typed() {
  clearTimeout(timer);
  if (!input.value.trim() || /\s$/.test(input.value)) close();
  else timer = setTimeout(ask, WAIT_MS);
}

input.addEventListener("input", typed);
if (document.activeElement === input && input.value !== input.defaultValue) typed(); // came late
input.addEventListener("blur", close);
form.addEventListener("submit", close);
input.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape" && list.hidden) { input.blur(); return; }
  if (list.hidden || event.isComposing) return;
  if (step) mark((current + step + offers.length + (current < 0 && step < 0 ? 1 : 0)) % offers.length);
  else if (event.key === "Tab" && !event.shiftKey && current >= 0) pick(current);
  else if (event.key === "Enter" && current >= 0) pick(current);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
});

// The form opens below the box with what stands in it.
export async function openForm() {
  if (!panel.hidden) { closeForm(); return; }
  close();
  const address = `${form.dataset.searchForm}?q=${encodeURIComponent(input.value)}`;
  const response = await fetch(address);
  const page = response.redirected ? null : new DOMParser().parseFromString(await response.text(), "text/html");
  const fields = page?.getElementById("search-fields");
  if (!fields) { location.assign(address); return; }
  panel.replaceChildren(document.adoptNode(fields));
  panel.hidden = false;
  more.setAttribute("aria-expanded", "true");
  fields.querySelector("input:not([type=hidden])").focus();
}

function closeForm() {
  panel.hidden = true;
  panel.replaceChildren();
  more.setAttribute("aria-expanded", "false");
}

panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  closeForm();
  more.focus();
});
document.addEventListener("pointerdown", (event) => {
  if (!panel.hidden && !event.target.closest(".finder")) closeForm();
});
