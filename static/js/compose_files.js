// Files: chosen, dropped or pasted; refused by size before they travel, with progress while they do.
import { blame, submit } from "app/compose";

const form = document.querySelector("[data-compose]");
const chooser = form.querySelector("[data-chooser]");
const shown = (bytes) => `${Math.max(1, Math.round(bytes / 1024))} KB`;

function card(file) {
  const item = document.createElement("div");
  item.className = "attachment compose__upload";
  const name = document.createElement("bdi");
  name.className = "attachment__name";
  name.textContent = `${file.name} (${shown(file.size)})`;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  item.append(name, bar);
  form.querySelector("[data-files]").after(item);
  return { item, bar };
}

// XMLHttpRequest, because fetch tells nothing of what has been sent.
const uploader = (bar) => (data) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("POST", form.getAttribute("action"));
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("HX-Request", "true");
  request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
  request.onerror = reject;
  request.onload = () => resolve(new Response(request.status === 204 ? null : request.response, {
    status: request.status,
    headers: request.getResponseHeader("X-Csrf-Failure") ? { "X-Csrf-Failure": "1" } : {},
  }));
  request.send(data);
});

// With `each`, files are pictures for the text: it gets the address of every one.
export async function upload(files, each = null) {
  const room = Number(form.dataset.maxBytes) - Number(form.dataset.size);
  let total = 0;
  for (const file of files) {
    total += file.size;
    if (total > room) { blame(form.dataset.tooLarge.replace("#", file.name), "file"); return; }
  }
  for (const file of files) {
    const { item, bar } = card(file);
    const answer = await submit({ attach: each ? "picture" : "", file }, uploader(bar));
    item.remove();
    if (answer.picture) each?.(answer.picture, file.name);
  }
}

function take() {
  const files = [...chooser.files];
  chooser.value = "";
  return upload(files);
}

chooser.addEventListener("change", take);
if (chooser.files.length) take(); // chosen before this module was here
export const carried = (event) => [...(event.dataTransfer ?? event.clipboardData)?.files ?? []];
form.addEventListener("dragover", (event) => {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  form.classList.add("compose--target");
});
for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("compose--target"));
form.addEventListener("drop", (event) => {
  if (event.defaultPrevented || !carried(event).length) return; // the editor took it
  event.preventDefault();
  upload(carried(event));
});
form.addEventListener("paste", (event) => {
  if (event.defaultPrevented || !carried(event).length) return;
  event.preventDefault();
  upload(carried(event));
});
