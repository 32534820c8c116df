// People while one types an address (ARIA combobox); whoever is chosen becomes a chip.
import { chips } from "app/compose_chips";

const form = document.querySelector("[data-compose]");
const WAIT_MS = 120;
const PHRASE = /^[\p{L}\p{N} !#$%&'*+/=?^_`{|}~-]+$/u;
const typed = (input) => input.value.trim();

function written([name, address]) {
  if (!name) return address;
  return PHRASE.test(name) ? `${name} <${address}>` : `"${name.replace(/["\\]/g, "\\$&")}" <${address}>`;
}

function attach(input) {
  const { box, add } = chips(input);
  const list = document.createElement("ul");
  let people = [];
  let current = -1;
  let timer = 0;
  let asking = null;
  list.className = "people";
  list.id = `${input.id}-people`;
  list.role = "listbox";
  list.hidden = true;
  list.setAttribute("aria-label", input.labels[0].textContent);
  box.after(list);
  input.role = "combobox";
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  const mark = (at) => {
    current = at;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[at].id);
  };
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    mark(-1);
  };
  const pick = (at) => {
    close();
    add(written(people[at]));
  };
  const show = () => {
    list.replaceChildren(...people.map(([name, address], at) => {
      const item = document.createElement("li");
      const who = document.createElement("bdi");
      const where = document.createElement("span");
      item.id = `${list.id}-${at}`;
      item.role = "option";
      item.className = "people__item";
      who.textContent = name || address;
      where.className = "people__address";
      where.textContent = name ? address : "";
      item.append(who, where);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); pick(at); });
      return item;
    }));
    list.hidden = people.length === 0;
    input.setAttribute("aria-expanded", String(people.length > 0));
    mark(people.length ? 0 : -1);
  };
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const address = `${form.dataset.people}?q=${encodeURIComponent(typed(input))}`;
      const response = await fetch(address, { headers: { "HX-Request": "true" }, signal: asking.signal });
      people = response.ok ? (await response.json()).people : [];
      if (typed(input) && document.activeElement === input) show();
    } catch { /* a newer question, or no network: one types on */ }
  };

  input.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!typed(input) || !event.isTrusted) close();
    else timer = setTimeout(ask, WAIT_MS);
  });
  input.addEventListener("blur", () => { clearTimeout(timer); asking?.abort(); close(); });
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark((current + step + people.length) % people.length);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") pick(Math.max(current, 0));
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

for (const input of form.querySelectorAll("[data-list]")) attach(input);
