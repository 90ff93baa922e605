// What the pages do beyond links and forms: parts that are kept up to date, keys, the list of keys, claims that last
// while somebody works. Everything works without it, too.

const POLL_MS = 4000; // Each wait is up to a quarter shorter or longer, so that many viewers do not come at once.
const SEQUENCE_MS = 1500; // The longest time between the two keys of `g o`.
const SENT_MS = 10000; // How long a second form is kept back while the first one is on its way.

const stale = document.getElementById("stale");
let lastAnswer = new Date();
let ended = false;

// ---- Parts that are kept up to date: <section id="now" data-live>, asked for by their id.

function poll(part) {
  let tag = null;
  let failures = 0;
  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, POLL_MS * (0.75 + Math.random() / 2) * Math.min(2 ** failures, 8));
  };
  const ask = async () => {
    const element = document.getElementById(part);
    if (ended || !element || !("live" in element.dataset)) return;
    if (document.hidden) return;
    if (isSelecting(element)) return later();
    try {
      const headers = { "sluice-part": part };
      if (tag) headers["if-none-match"] = tag;
      const answer = await fetch(location.href, { headers, cache: "no-store", redirect: "manual" });
      if (answer.status === 401) return sessionEnded();
      if (answer.status !== 304 && !answer.ok) throw new Error(answer.status);
      if (answer.ok) {
        tag = answer.headers.get("etag");
        swap(element, await answer.text());
      }
      failures = 0;
      answered();
    } catch {
      failures += 1;
      if (failures > 1) notAnswered();
    }
    later();
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    ask();
  });
  later();
}

// What somebody is selecting, or types into, is not taken away from under them.
function isSelecting(element) {
  const selection = document.getSelection();
  const selects = selection && !selection.isCollapsed && element.contains(selection.anchorNode);
  const active = document.activeElement;
  return selects || (element.contains(active) && active.matches("input, select, textarea"));
}

// Changes what differs and keeps the rest, so that focus, scroll positions and open details stay where they are.
function swap(element, text) {
  const parsed = new DOMParser().parseFromString(text, "text/html").getElementById(element.id);
  if (parsed) morph(element, parsed);
}

function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || key(from) !== key(to)) {
    from.replaceWith(document.importNode(to, true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  // Children with an id keep their node wherever they go.
  const known = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let here = from.firstChild;
  for (const next of [...to.childNodes]) {
    const same = next.id ? known.get(next.id) : here && !here.id ? here : null;
    if (!same) {
      from.insertBefore(document.importNode(next, true), here);
      continue;
    }
    if (same !== here) from.insertBefore(same, here);
    else here = here.nextSibling;
    morph(same, next);
  }
  while (here) {
    const gone = here;
    here = here.nextSibling;
    gone.remove();
  }
}

const key = (node) => node.id ?? "";

function answered() {
  lastAnswer = new Date();
  if (!ended) stale.hidden = true;
}

function notAnswered() {
  stale.hidden = false;
  stale.textContent = `${stale.dataset.lost} ${lastAnswer.toLocaleTimeString()}.`;
}

function sessionEnded() {
  ended = true;
  const link = document.createElement("a");
  link.href = `/login?to=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = stale.dataset.login;
  stale.replaceChildren(`${stale.dataset.ended} `, link);
  stale.hidden = false;
}

// ---- Keys: on whatever has data-key, never with a modifier, never while somebody types.

let first = null; // The first key of two.

function keyed() {
  return [...document.querySelectorAll("[data-key]")].filter((element) => !element.disabled && !element.closest("[hidden]"));
}

function does(element) {
  return element.dataset.does ?? element.textContent.trim();
}

function use(element) {
  if (element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")) {
    element.focus();
    if (element.select) element.select();
  } else {
    element.click();
  }
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[next].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
  if (event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const pressed = first ? `${first} ${event.key}` : event.key;
  first = null;
  const element = keyed().find((element) => element.dataset.key === pressed);
  if (element) {
    event.preventDefault();
    if (!event.repeat) use(element);
  } else if (keyed().some((element) => element.dataset.key.startsWith(`${pressed} `))) {
    first = pressed;
    setTimeout(() => { first = null; }, SEQUENCE_MS);
  } else if (pressed === "j" || pressed === "k") {
    move(pressed === "j" ? 1 : -1);
  }
});

// A form is sent once: what is pressed while the answer is on its way would meet a page that nobody has seen yet.
let sentAt = 0;

document.addEventListener("submit", (event) => {
  if (event.target.method === "dialog") return;
  if (Date.now() - sentAt < SENT_MS) event.preventDefault();
  else sentAt = Date.now();
});
window.addEventListener("pageshow", () => { sentAt = 0; });

// ---- A claim is extended while its person is at work: not by an open page alone, and not in a hidden tab.

const keep = document.getElementById("keep");
if (keep) {
  let active = false;
  let extendedAt = Date.now();
  const extend = async () => {
    if (!active || document.hidden || Date.now() - extendedAt < keep.dataset.beat * 1000) return;
    active = false;
    extendedAt = Date.now();
    const body = new URLSearchParams(new FormData(keep));
    const answer = await fetch(keep.action, { method: "POST", headers: { "sluice-part": "lease" }, body });
    if (answer.status === 401) sessionEnded();
  };
  for (const sign of ["keydown", "pointerdown", "pointermove", "wheel"]) {
    document.addEventListener(sign, () => { active = true; }, { passive: true, capture: true });
  }
  // What an extension that failed means is shown by the part that says whose the case is.
  setInterval(() => extend().catch(() => {}), 1000);
}

function showKeys() {
  const dialog = document.getElementById("keys");
  const list = dialog.querySelector("dl");
  const entries = keyed().map((element) => [element.dataset.key, does(element)]);
  if (document.querySelector("[data-row]")) entries.push(["j", list.dataset.next], ["k", list.dataset.previous]);
  // Keys of this page come first, the ways to others behind them.
  entries.sort(([one], [other]) => one.includes(" ") - other.includes(" "));
  list.replaceChildren(...entries.flatMap(([name, text]) => {
    const term = document.createElement("dt");
    for (const one of name.split(" ")) {
      const sign = document.createElement("kbd");
      sign.textContent = one;
      term.append(sign, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = text;
    return [term, meaning];
  }));
  dialog.showModal();
}

const keysButton = document.getElementById("keys-button");
if (keysButton) {
  keysButton.hidden = false;
  keysButton.addEventListener("click", showKeys);
}

for (const element of document.querySelectorAll("[data-live]")) poll(element.id);
