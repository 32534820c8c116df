// Rich text: the editor comes when it is asked for; the server cleans whatever it makes.
import { changed, tell } from "app/compose";
import { carried, upload } from "app/compose_files";
import { askLink } from "app/compose_link";
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

// What a program copies as text may carry a picture of that text too: the text counts then.
function takePictures(event) {
  const pictures = carried(event).filter((file) => /^image\/(png|jpeg|gif|webp)$/.test(file.type));
  const text = (event.dataTransfer ?? event.clipboardData).getData("text/plain").trim();
  if (!pictures.length || pictures.length < carried(event).length || text) return false;
  addPictures(pictures);
  return true;
}

function addPictures(files) {
  return upload(files, (src, alt) => editor?.chain().focus().setImage({ src, alt }).createParagraphNear().run());
}

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
    editorProps: { handlePaste: (_, event) => takePictures(event), handleDrop: (_, event) => takePictures(event), attributes: { role: "textbox", "aria-multiline": "true", "aria-label": text.getAttribute("aria-label"), class: "compose__editor" } },
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

const DO = {
  bold: (chain) => chain.toggleBold(),
  italic: (chain) => chain.toggleItalic(),
  underline: (chain) => chain.toggleUnderline(),
  bulletList: (chain) => chain.toggleBulletList(),
  orderedList: (chain) => chain.toggleOrderedList(),
  blockquote: (chain) => chain.toggleBlockquote(),
};

function refresh() {
  for (const button of tools.querySelectorAll("[data-format]")) {
    button.setAttribute("aria-pressed", String(editor?.isActive(button.dataset.format) ?? false));
  }
}

tools.addEventListener("mousedown", (event) => event.preventDefault()); // the words keep the focus
tools.addEventListener("click", (event) => {
  const name = event.target.closest("[data-format]")?.dataset.format;
  if (name === "link" && editor) askLink(editor);
  else if (name && editor) DO[name](editor.chain().focus()).run();
});
tools.querySelector("[data-picture]").addEventListener("change", (event) => {
  addPictures([...event.target.files]);
  event.target.value = "";
});
// Before the editor's own keys, some of which mean something else here.
form.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (!editor?.isFocused || event.altKey || !(event.ctrlKey || event.metaKey)) return;
  if (key === "k" && !event.shiftKey) askLink(editor);
  else if (event.shiftKey && event.code === "Digit9") DO.blockquote(editor.chain().focus()).run();
  else if (key === "\\") editor.chain().focus().unsetAllMarks().clearNodes().run();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
