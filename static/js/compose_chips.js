// Recipients as chips: what is typed or pasted is split at commas and can be changed part by part.
// The field posts the same comma list as without scripts, with every character that was typed.
const form = document.querySelector("[data-compose]");
const words = form.dataset;
const ADDRESS = /^(?:"[^"]+"|[^\s@<>"(),:;]+)@[^\s@<>"(),:;.]+(?:\.[^\s@<>"(),:;.]+)*$/u;
const SEVERAL = /^\S+@\S+(?:\s+\S+@\S+)+$/;

// Parts of a list; the last one is not ended yet. Commas in quotes and brackets end nothing.
function split(text) {
  const parts = [""];
  let [isQuoted, isInside] = [false, false];
  [...text].forEach((letter, at, all) => {
    if (letter === '"' && all[at - 1] !== "\\") isQuoted = !isQuoted;
    else if (!isQuoted && (letter === "<" || letter === ">")) isInside = letter === "<";
    if (/[,;\r\n\t]/.test(letter) && !isQuoted && !isInside) parts.push("");
    else parts[parts.length - 1] += letter;
  });
  return parts.map((part) => part.trim());
}

function read(raw) {
  const found = /^(.*?)<([^<>]*)>$/s.exec(raw);
  const name = found?.[1].trim().replace(/^"(.*)"$/s, "$1").replace(/\\(.)/g, "$1");
  return { name, address: (found ? found[2] : raw).trim() };
}

export function chips(entry) {
  const box = document.createElement("div");
  const parts = () => [...box.children].map((one) => (one === entry ? entry.value.trim() : one.dataset.raw));
  const list = () => parts().filter(Boolean).join(", ");
  const chipsOf = () => [...box.querySelectorAll(".recipient")];
  let isMoving = false; // a browser blurs what moves
  const changed = () => entry.dispatchEvent(new Event("input", { bubbles: true }));

  function chip(raw) {
    const item = document.createElement("span");
    const label = document.createElement("button");
    const remove = document.createElement("button");
    const { name, address } = read(raw);
    const isGood = ADDRESS.test(address);
    item.className = "recipient";
    item.dataset.raw = raw;
    label.type = remove.type = "button";
    label.tabIndex = remove.tabIndex = -1;
    label.className = "recipient__name";
    remove.className = "recipient__remove";
    label.textContent = name || address || raw;
    label.title = isGood ? raw : `${raw}: ${words.noAddress}`;
    label.setAttribute("aria-label", label.title);
    label.setAttribute("aria-description", words.chipKeys);
    remove.setAttribute("aria-label", words.remove.replace("#", name || address));
    if (!isGood) item.classList.add("recipient--bad");
    item.append(label, remove);
    return item;
  }

  function add(raws) {
    entry.before(...raws.filter(Boolean).flatMap((raw) => (SEVERAL.test(raw) ? raw.split(/\s+/) : raw)).map(chip));
  }

  // What is complete becomes chips; with `all`, the rest too, and typing goes on at the end.
  function take(all) {
    const found = split(entry.value);
    const rest = all ? "" : found.pop();
    if (!found.length) return;
    add(found);
    entry.value = rest;
    if (all && box.lastChild !== entry) toEnd();
  }

  function toEnd() {
    isMoving = true;
    box.append(entry);
    isMoving = false;
    entry.focus();
  }

  function drop(item, next) {
    item.remove();
    (next?.querySelector?.(".recipient__name") ?? entry).focus();
    changed();
  }

  function edit(item) {
    const raw = item.dataset.raw;
    add(split(entry.value));
    item.replaceWith(entry);
    entry.value = raw;
    entry.focus();
    entry.select();
  }

  const step = (from, by) => {
    const next = box.children[[...box.children].indexOf(from) + by];
    if (next) (next.querySelector(".recipient__name") ?? next).focus();
    return Boolean(next);
  };

  box.addEventListener("click", (event) => {
    const item = event.target.closest(".recipient");
    if (!item) entry.focus();
    else if (event.target.matches(".recipient__remove")) drop(item);
    else edit(item);
  });
  box.addEventListener("keydown", (event) => {
    const item = event.target.closest(".recipient");
    const isStart = entry.selectionStart === 0 && entry.selectionEnd === 0;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (item && event.key === "Delete") drop(item, item.nextElementSibling);
    else if (item && event.key === "Backspace") drop(item, item.previousElementSibling ?? item.nextElementSibling);
    else if (item && event.key === "Escape") entry.focus();
    else if (item && event.key === "ArrowRight") step(item, 1);
    else if (item && event.key === "ArrowLeft") step(item, -1);
    else if (item && event.key.length === 1 && event.key !== " ") { entry.focus(); return; }
    else if (!item && isStart && (event.key === "ArrowLeft" || event.key === "Backspace") && step(entry, -1)) { /* there */ }
    else if (!item && event.key === "Enter" && entry.value.trim()) { take(true); changed(); }
    else return;
    event.preventDefault();
  });
  entry.addEventListener("input", (event) => { if (!event.isComposing) take(false); });
  entry.addEventListener("blur", () => {
    if (isMoving) return;
    add(split(entry.value));
    entry.value = "";
    if (box.lastChild !== entry) box.append(entry);
  });
  entry.addEventListener("paste", (event) => {
    const pasted = event.clipboardData.getData("text");
    if (split(pasted).length === 1 && !SEVERAL.test(pasted.trim())) return;
    event.preventDefault();
    entry.setRangeText(pasted.replace(/[\r\n\t]+/g, ", "), entry.selectionStart, entry.selectionEnd, "end");
    take(true);
    changed();
  });
  form.addEventListener("formdata", (event) => event.formData.set(entry.name, list()));

  box.className = "recipients";
  box.role = "group";
  box.setAttribute("aria-label", entry.labels[0].textContent);
  const isFocused = document.activeElement === entry;
  isMoving = true;
  entry.before(box);
  box.append(entry);
  isMoving = false;
  const found = split(entry.value);
  const rest = isFocused && entry.value !== entry.defaultValue ? found.pop() : "";
  add(found);
  entry.value = rest;
  const fault = document.getElementById(entry.getAttribute("aria-describedby"))?.textContent ?? "";
  for (const one of chipsOf()) one.classList.toggle("recipient--bad", one.matches(".recipient--bad") || fault.includes(read(one.dataset.raw).address));
  if (isFocused) entry.focus();
  return { box, add: (raw) => { entry.value = ""; add([raw]); changed(); } };
}
