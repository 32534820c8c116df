// Entry of the settings. Every page works without it.
import "app/toasts";

const box = document.querySelector("[data-permission]");
if (box && self.Notification) {
  const tell = () => { box.dataset.permission = Notification.permission; };
  box.querySelector("button").addEventListener("click", () => Notification.requestPermission().then(tell));
  tell();
  box.hidden = false;
}
