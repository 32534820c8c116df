// Entry of the mail pages. Every page works without it; each module adds one behaviour.
import "app/session";
import "app/navigation";
import "app/list";
import "app/frames";
import "app/toasts";
import "app/keys";
// What a page can do without comes when it is drawn.
if (document.querySelector("[data-mailbox]")) addEventListener("load", () => import("app/live"));
if (document.querySelector("[data-compose]")) import("app/compose");
