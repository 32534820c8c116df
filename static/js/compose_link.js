// The dialog for a link: its address and its words. What is no address is said in its place.
const dialog = document.getElementById("link");
const { href, text } = dialog.querySelector("form").elements;
const fault = dialog.querySelector("#link-fault");

// An address as people write it: with a scheme, as a mail address, or a bare host.
function whole(typed) {
  const value = typed.trim();
  if (/^(https?:\/\/|mailto:|tel:)\S+$/i.test(value)) return value;
  if (/^[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+$/.test(value)) return `mailto:${value}`;
  return /^[^\s@:/.]+(\.[^\s@:/.]+)+([/?#:]\S*)?$/.test(value) ? `https://${value}` : "";
}

function blame(isWrong) {
  fault.hidden = !isWrong;
  href.toggleAttribute("aria-invalid", isWrong);
  if (isWrong) { href.setAttribute("aria-invalid", "true"); href.setAttribute("aria-describedby", fault.id); href.focus(); }
}

function set(editor) {
  const chain = editor.chain().focus();
  const link = { href: whole(href.value) };
  const { from, to } = editor.state.selection;
  const words = text.value || href.value.trim();
  if (words === editor.state.doc.textBetween(from, to)) chain.setLink(link).run();
  else chain.insertContent({ type: "text", text: words, marks: [{ type: "link", attrs: link }] }).run();
}

export function askLink(editor) {
  const had = editor.getAttributes("link").href ?? "";
  if (had) editor.chain().extendMarkRange("link").run(); // the whole link is meant
  const { from, to } = editor.state.selection;
  href.value = had;
  text.value = editor.state.doc.textBetween(from, to);
  dialog.querySelector("[data-unlink]").hidden = !had;
  blame(false);
  href.oninput = () => blame(false);
  dialog.returnValue = "";
  dialog.querySelector("form").onsubmit = (event) => {
    if (event.submitter?.value !== "set" || whole(href.value)) return;
    event.preventDefault();
    blame(true);
  };
  dialog.onclose = () => {
    if (dialog.returnValue === "set") set(editor);
    else if (dialog.returnValue === "unset") editor.chain().focus().unsetLink().run();
    else editor.commands.focus();
  };
  dialog.showModal();
}
