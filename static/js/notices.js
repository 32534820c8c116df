// What a page does beside its list: notices while another window is in front, and rows that are dragged.
const shell = document.querySelector("[data-mailbox]");
const MOST = 3;

// The browser asks for leave only after a click; the setting says that the person wants it.
if ("notify" in shell.dataset && self.Notification?.permission === "default") {
  document.addEventListener("click", () => Notification.requestPermission(), { once: true });
}

export function tell(before, page) {
  if (self.Notification?.permission !== "granted") return;
  const known = new Set([...before.querySelectorAll("[data-row]")].map((row) => `${row.id} ${row.querySelector("time").dateTime}`));
  const newest = before.querySelector("[data-row] time")?.dateTime ?? "";
  const fresh = [...page.querySelectorAll(".row--unread")].filter((row) => {
    const at = row.querySelector("time").dateTime;
    return at > newest && !known.has(`${row.id} ${at}`);
  });
  for (const row of fresh.slice(0, MOST)) {
    const notice = new Notification(row.querySelector(".row__names").textContent, {
      body: row.querySelector(".row__subject").textContent, tag: `${row.id} ${row.querySelector("time").dateTime}`,
    });
    notice.onclick = () => { focus(); document.getElementById(row.id)?.querySelector("[data-open]")?.click(); };
  }
}

// --- Rows dragged to a folder of the rail; the move menu does the same ---
const TYPE = "application/x-casilla-row";

document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (!row) return;
  const check = row.querySelector(".row__check");
  if (!check.checked) for (const one of document.querySelectorAll(".row__check")) one.checked = one === check;
  document.dispatchEvent(new Event("change"));
  event.dataTransfer.setData(TYPE, row.id);
  event.dataTransfer.effectAllowed = "move";
  row.classList.add("row--dragged");
});
document.addEventListener("dragend", () => {
  for (const one of document.querySelectorAll(".row--dragged, .rail__item--over")) one.classList.remove("row--dragged", "rail__item--over");
});

const target = (event) => event.dataTransfer?.types.includes(TYPE) && event.target.closest?.("[data-drop]");

document.addEventListener("dragover", (event) => {
  const place = target(event);
  for (const one of document.querySelectorAll(".rail__item--over")) if (one !== place) one.classList.remove("rail__item--over");
  if (!place) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  place.classList.add("rail__item--over");
});
document.addEventListener("drop", (event) => {
  const place = target(event);
  if (!place) return;
  event.preventDefault();
  document.querySelector(`.bulk button[name="move"][value="${place.dataset.drop}"]`)?.click();
});
