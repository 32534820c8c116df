// Entry of the mail pages. Every page works without it; each module adds one behaviour.
import "app/session";
import "app/navigation";
import "app/list";
import "app/frames";
import "app/conversation";
import "app/toasts";
import "app/keys";
// What a page can do without comes when it is drawn.
if (document.querySelector("[data-mailbox]")) addEventListener("load", () => import("app/live"));
if (document.querySelector("[data-compose]")) import("app/compose");
// The search box brings its helper when it is first used.
const box = document.querySelector("[data-search]");
box?.addEventListener("focusin", () => import("app/search"), { once: true });
box?.querySelector("[data-search-more]").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  import("app/search").then((search) => search.openForm());
});
