// Rich text: the editor comes when it is asked for; the server cleans whatever it makes.
import { changed, tell } from "app/compose";
import {
  Blockquote, Bold, BulletList, Document, Editor, HardBreak, History, HorizontalRule, Image, Italic,
  Link, ListItem, OrderedList, Paragraph, Strike, Text, Underline,
} from "django-prose-editor/editor";

const form = document.querySelector("[data-compose]");
const text = form.querySelector("[data-text]");
const html = form.querySelector("[data-html]");
const switcher = form.querySelector("[data-rich]");
const tools = form.querySelector("[data-tools]");
const place = document.createElement("div");
place.className = "compose__rich";
let editor = null;

const escaped = (line) => line.replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[one]);
const fromText = (plain) => plain.split(/\n{2,}/).map((part) => `<p>${part.split("\n").map(escaped).join("<br>")}</p>`).join("");

// Only files of this draft: an image from elsewhere would tell its host who reads the message.
const OwnImage = Image.extend({
  parseHTML() {
    return [{ tag: "img[src]", getAttrs: (image) => {
      if (image.getAttribute("src").startsWith(form.getAttribute("action"))) return null;
      tell(form.dataset.dropped, true);
      return false;
    } }];
  },
});
const inert = (name) => ({ [name]: false });

function open() {
  if (!html.value.trim()) html.value = fromText(text.value);
  text.after(place);
  editor = new Editor({
    element: place,
    injectCSS: false,
    content: html.value,
    extensions: [
      Document, Paragraph, Text, Bold, Italic, Underline, Strike, BulletList, OrderedList, ListItem,
      Blockquote, HardBreak, HorizontalRule, History, OwnImage,
      Link.configure({ openOnClick: false, autolink: true, ...inert("linkOnPaste") }),
    ],
    editorProps: { attributes: { role: "textbox", "aria-multiline": "true", "aria-label": text.getAttribute("aria-label"), class: "compose__editor" } },
    onUpdate: () => { html.value = editor.getHTML(); changed(); },
    onSelectionUpdate: refresh,
    onTransaction: refresh,
  });
  html.value = editor.getHTML();
  html.disabled = false;
  text.hidden = true;
  tools.hidden = false;
  switcher.setAttribute("aria-pressed", "true");
  refresh();
  editor.commands.focus("start");
}

function close() {
  text.value = editor.getText({ blockSeparator: "\n\n" });
  editor.destroy();
  editor = null;
  place.remove();
  html.value = "";
  html.disabled = true;
  text.hidden = false;
  tools.hidden = true;
  switcher.setAttribute("aria-pressed", "false");
  text.focus();
  changed();
}

export const toggle = () => (editor ? close() : open());

function link(chain) {
  const found = window.prompt(tools.dataset.ask, editor.getAttributes("link").href ?? "https://");
  if (found === null) return chain;
  return /^(https?:|mailto:|tel:)\S/i.test(found) ? chain.extendMarkRange("link").setLink({ href: found }) : chain.unsetLink();
}

const DO = {
  bold: (chain) => chain.toggleBold(),
  italic: (chain) => chain.toggleItalic(),
  underline: (chain) => chain.toggleUnderline(),
  bulletList: (chain) => chain.toggleBulletList(),
  orderedList: (chain) => chain.toggleOrderedList(),
  blockquote: (chain) => chain.toggleBlockquote(),
  link,
};

function refresh() {
  for (const button of tools.querySelectorAll("[data-format]")) {
    button.setAttribute("aria-pressed", String(editor?.isActive(button.dataset.format) ?? false));
  }
}

tools.addEventListener("mousedown", (event) => event.preventDefault()); // the words keep the focus
tools.addEventListener("click", (event) => {
  const name = event.target.closest("[data-format]")?.dataset.format;
  if (name && editor) DO[name](editor.chain().focus()).run();
});
