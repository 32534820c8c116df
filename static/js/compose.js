// Writing: saved while one types, kept on this device until the server has it, files with progress.
// The form works without any of this; what is sent always carries every word.
import { signIn } from "app/session";

const form = document.querySelector("[data-compose]");
const shell = document.querySelector("[data-user]");
const url = form.getAttribute("action");
const prefix = `draft:${shell.dataset.user}:`;
const field = (name) => form.elements.namedItem(name);
const state = form.querySelector("[data-state]");
const WORDS = ["sender", "to", "cc", "bcc", "subject", "text", "html"];
const SAVE_MS = 3000;
const KEPT_MS = 14 * 86_400_000;
const KEEPALIVE_BYTES = 60_000; // a browser sends no more when a page goes

if ("isRich" in form.dataset) field("html").disabled = false; // the editor is on its way
const lines = (value) => value?.replace(/\r\n?/g, "\n") ?? null;
// As the form sends them: recipients are chips by then.
function words() {
  const data = new FormData(form);
  return JSON.stringify(WORDS.map((name) => lines(data.get(name))));
}
// What came with the page: somebody may have typed before this module was here.
const came = (input) => input.defaultValue ?? [...input.options].find((one) => one.defaultSelected)?.value ?? input.value;
let known = JSON.stringify(WORDS.map((name) => (field(name).disabled ? null : lines(came(field(name))))));
let timer = 0;
let queue = Promise.resolve(true);
let isStopped = false; // another window has it, or it was sent
let isLeaving = false;
let wasSaved = !("new" in form.dataset);

const isDirty = () => words() !== known;

export function tell(text, isWarning = false) {
  state.textContent = text;
  state.classList.toggle("compose__state--warn", isWarning);
}

export function blame(text, name = "") {
  const banner = form.querySelector("[data-fault]");
  banner.hidden = !text;
  banner.querySelector(".banner__text").textContent = text;
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  const blamed = field(name);
  blamed?.setAttribute("aria-invalid", "true");
  blamed?.closest("details")?.setAttribute("open", "");
  blamed?.focus();
}

// localStorage, because only what is written at once survives a page that is closed.
function keep() {
  try { localStorage.setItem(prefix + url, JSON.stringify({ at: Date.now(), words: words() })); } catch { /* full */ }
}
const drop = () => localStorage.removeItem(prefix + url);

function restore() {
  for (const key of Object.keys(localStorage).filter((one) => one.startsWith(prefix))) {
    const copy = JSON.parse(localStorage.getItem(key));
    const isOurs = key === prefix + url;
    const isOrphan = "new" in form.dataset && !field("kind").value && field("text").value === field("text").defaultValue && !field("to").value;
    if (Date.now() - copy.at > KEPT_MS) localStorage.removeItem(key);
    else if (isOurs || isOrphan) {
      localStorage.removeItem(key);
      if (copy.words === known) return;
      JSON.parse(copy.words).forEach((value, at) => {
        const input = field(WORDS[at]);
        if (value !== null && input && WORDS[at] !== "sender") input.value = value;
        if (WORDS[at] === "html" && value) input.disabled = false;
      });
      tell(form.dataset.mine);
      changed();
      return;
    }
  }
}

function accept(answer) {
  field("version").value = answer.version;
  form.dataset.size = answer.size;
  form.querySelector("[data-files]").innerHTML = answer.files; // our own template, escaped there
  for (const part of form.querySelectorAll("[name=part]")) part.closest("ul")?.remove();
  if ("new" in form.dataset) {
    delete form.dataset.new;
    history.replaceState(history.state, "", `${url}?next=${encodeURIComponent(field("next").value)}`);
  }
  wasSaved = true;
}

// Sends the whole form; resolves to the server's answer once it has it, else to false.
async function post(data, sent, send) {
  let response;
  try {
    response = await send(data);
    if (response.status === 401 || response.headers.has("X-Csrf-Failure")) {
      const token = isLeaving ? null : await signIn();
      if (!token) throw new Error("signed out");
      data.set("csrfmiddlewaretoken", token);
      response = await send(data);
    }
  } catch {
    tell(form.dataset.unsaved, true);
    return false;
  }
  isStopped ||= response.status === 409 || response.status === 410;
  const answer = response.ok || response.status === 422 ? await response.json() : {};
  if (!response.ok) {
    tell(response.status === 409 ? form.dataset.elsewhere : form.dataset.unsaved, true);
    if (answer.text) blame(answer.text, answer.field);
    return false;
  }
  accept(answer);
  known = sent;
  if (isDirty()) plan(); else drop();
  tell(answer.saved);
  return answer;
}

// One request at a time: each begins from the version that the last one brought.
export function submit(values, send = byFetch) {
  clearTimeout(timer);
  queue = queue.then(() => {
    const data = new FormData(form);
    data.delete("file");
    for (const [name, value] of Object.entries(values)) data.append(name, value);
    return post(data, words(), send);
  });
  return queue;
}

const byFetch = (data) => fetch(url, {
  method: "POST", body: data, headers: { Accept: "application/json", "HX-Request": "true" },
});

export function save() {
  if (isStopped) return Promise.resolve(false);
  if (!isDirty() && wasSaved) return queue;
  tell(form.dataset.saving);
  return submit({ save: "" });
}

function plan() {
  clearTimeout(timer);
  if (!isStopped) timer = setTimeout(save, SAVE_MS);
}

export function changed() {
  keep();
  plan();
}

// The folder Drafts gets its copy when the person goes.
function leave() {
  if (isStopped || isLeaving || (!isDirty() && !wasSaved)) return;
  const data = new FormData(form);
  data.delete("file");
  data.append("save", "");
  data.append("leave", "");
  const size = [...data.values()].reduce((sum, value) => sum + 3 * value.length, 0);
  const headers = { Accept: "application/json", "HX-Request": "true" };
  if (isDirty()) keep();
  fetch(url, { method: "POST", body: data, headers, keepalive: size < KEEPALIVE_BYTES })
    .then((response) => { if (response.ok) drop(); }).catch(() => {});
}

form.addEventListener("input", (event) => {
  // "Say whom" is answered by Cc and Bcc too.
  if (event.target.matches("[aria-invalid], [data-list]")) blame("");
  if (event.target.type !== "file") changed();
});
form.addEventListener("change", (event) => { if (event.target.matches("select")) { sign(event.target); changed(); } });
// Another sender signs otherwise, where the signature of the one before still stands.
let signature = field("sender").selectedOptions?.[0].dataset.signature;
function sign(select) {
  const text = field("text");
  const [before, after] = [signature, select.selectedOptions[0].dataset.signature];
  signature = after;
  if (before) text.value = text.value.replace(`\n-- \n${before}`, () => (after ? `\n-- \n${after}` : ""));
  else if (after && !text.value.trim()) text.value = `\n\n-- \n${after}`;
}

addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => { if (document.hidden && isDirty()) save(); });

// Saved first, so that a dead session or another window is found while every word is still here.
let isSure = false;
form.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (isSure) return;
  event.preventDefault();
  if (button?.name === "remove") { await submit({ remove: button.value }); return; }
  await new Promise((resolve) => setTimeout(resolve)); // a form takes no submit within its own
  const needs = button?.name !== "discard" && button?.name !== "resolve";
  if (needs && !isStopped && (isDirty() || wasSaved) && !(await submit({ save: "" })) && !isStopped) return;
  isSure = isLeaving = true;
  clearTimeout(timer);
  drop();
  form.requestSubmit(button);
});
addEventListener("pageshow", (event) => { if (event.persisted) isSure = isLeaving = false; });

// Before the editor's own keys, some of which mean something else here.
const press = (selector) => form.querySelector(selector)?.click();
function open(name) {
  form.querySelector(".compose__copies").open = true;
  field(name).focus();
}
const KEYS = {
  Enter: () => press("[data-send]"), s: () => save(),
  C: () => open("cc"), B: () => open("bcc"),
  F: () => document.getElementById("c-from").focus(), D: () => press("[name=discard]"),
};
form.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.length > 1 ? event.key : event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
  if (!KEYS[key] || (event.shiftKey && key === "Enter")) return;
  event.preventDefault();
  event.stopPropagation();
  KEYS[key]();
}, true);
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input:not([type=file], [type=checkbox])") && !event.defaultPrevented) {
    event.preventDefault();
    const all = [...form.querySelectorAll("input.compose__input, textarea:not([hidden])")].filter((one) => one.checkVisibility());
    all[all.indexOf(event.target) + 1]?.focus();
  }
});

restore();
if (isDirty()) changed();
field("text").setSelectionRange(0, 0);
import("app/compose_people").then(() => { field("zone").value = Intl.DateTimeFormat().resolvedOptions().timeZone; });
import("app/compose_files");
form.querySelector("[data-rich]").addEventListener("click", async () => (await import("app/compose_rich")).toggle());
if (!field("html").disabled) {
  field("text").hidden = true;
  import("app/compose_rich").then((rich) => rich.toggle(), () => { field("text").hidden = false; field("html").disabled = true; });
}
