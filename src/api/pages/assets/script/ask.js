// What the pages do beside being read: they keep themselves up to date, submit the form, and show a key where one is
// wanted. The server makes all HTML. Of a page that it makes anew, the parts marked data-live replace those that differ.
"use strict";

const KEY = "tradingagents-key";
let stop = new AbortController(); // ends what belongs to the page that is shown
let known = new Map(); // the parts as the server made them, by id
let due = null; // the timer of the next look at the page

const byId = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function ask(url, options = {}) {
  const headers = new Headers(options.headers);
  const key = sessionStorage.getItem(KEY);
  if (key) headers.set("authorization", `Bearer ${key}`);
  return fetch(url, { ...options, headers, cache: "no-store" });
}

async function askPage() {
  const answer = await ask(location.href, { headers: { accept: "text/html" } });
  return { status: answer.status, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

// ---- The parts of a page

function remember(page) {
  return new Map([...page.querySelectorAll("[data-live]")].map((part) => [part.id, part.outerHTML]));
}

async function refresh() {
  due = null;
  const { status, page } = await askPage();
  if (status !== 200) return;
  const made = remember(page);
  const content = page.getElementById("content");
  if ([...content.children].some((part) => part.id && !byId(part.id))) {
    // What a page gets only at its end, such as the words of a result, has no place yet.
    replace(byId("content"), content);
    prepare();
  } else {
    for (const [id, html] of made) {
      const [old, part] = [byId(id), page.getElementById(id)];
      if (old && known.get(id) !== html) replace(old, part);
    }
  }
  known = made;
  tellTime();
  if (!page.body.dataset.events) setLink("ended", "up to date");
}

// Puts a part in place. What a reader has opened stays open, and the focus where it was.
function replace(old, part) {
  for (const opened of old.querySelectorAll("details[id]")) {
    const now = part.querySelector(`#${CSS.escape(opened.id)}`);
    if (now) now.open = opened.open;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.id : null;
  old.replaceWith(document.adoptNode(part));
  if (focused) byId(focused)?.focus();
}

// Looks at the page again soon, but not for each of many events, and not while nobody sees it.
function outOfDate(wait = 300) {
  if (due || document.hidden) return;
  due = setTimeout(() => refresh().catch(() => { due = null; }), wait);
}

// ---- Events

function setLink(state, words) {
  const link = byId("link");
  if (!link || link.dataset.state === "ended") return;
  link.dataset.state = state;
  link.querySelector(".words").textContent = words;
}

async function follow(signal) {
  const { events, shown } = document.body.dataset;
  let last = shown;
  let wait = 500;
  while (events && !signal.aborted) {
    try {
      const headers = { accept: "text/event-stream", ...(last ? { "last-event-id": last } : {}) };
      const answer = await ask(events, { headers, signal });
      if (!answer.ok) throw new Error(answer.status);
      setLink("live", "live");
      wait = 500;
      outOfDate();
      for await (const event of read(answer.body)) {
        last = event.id || last;
        outOfDate();
        tell(event);
        if (["completed", "failed", "cancelled"].includes(event.type) && event.data.job_id && events.includes(event.data.job_id)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
    }
    setLink("lost", "connecting again");
    await pause(wait);
    wait = Math.min(wait * 2, 15000);
  }
}

// The events of a stream (HTML Living Standard, section 9.2.6), as far as this API uses it.
async function* read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
      }));
      if (fields.data) yield { id: fields.id, type: fields.event, data: JSON.parse(fields.data) };
    }
  }
}

// Tells of ends alone: whoever listens to a page does not want to hear each step.
function tell({ type, data }) {
  const words = { completed: `completed: ${data.data?.decision}`, failed: "failed", cancelled: "cancelled" }[type];
  if (!words) return;
  const row = document.querySelector(`[data-job="${CSS.escape(data.job_id)}"] th`) ?? document.querySelector("h1");
  byId("news").textContent = `${row?.textContent.trim() ?? "A job"} ${words}`;
}

// ---- Times

function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
}

function tellTime() {
  for (const time of document.querySelectorAll("time[data-ago], time[data-since]")) {
    const words = span((Date.now() - Date.parse(time.dateTime)) / 1000);
    const text = time.dataset.ago === undefined ? words : `${words} ago`;
    if (time.textContent !== text) time.textContent = text;
  }
}

// ---- The form

// The value of a field as the API takes it.
function valueOf(field) {
  const text = field.value.trim();
  if (text === "") return undefined;
  if (field.dataset.as === "number") return Number(text);
  return field.dataset.as === "time" ? new Date(text).toISOString() : text;
}

// What the form says: names with points are objects within objects.
function bodyOf(form) {
  const body = {};
  const put = (name, value) => {
    const path = name.split(".");
    const last = path.pop();
    const place = path.reduce((object, part) => (object[part] ??= {}), body);
    place[last] = value;
  };
  const fields = [...form.elements].filter((field) => field.name && field.type !== "checkbox");
  for (const field of fields) {
    const value = valueOf(field);
    if (value !== undefined && !(field.name === "priority" && value === "normal")) put(field.name, value);
  }
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
  if (chosen.length < boxes.length) put("config.selected_analysts", chosen);
  const tickers = [...new Set((body.ticker ?? "").toUpperCase().split(/[\s,;]+/).filter(Boolean))];
  delete body.ticker;
  return tickers.length > 1 ? { tickers, ...body } : { ticker: tickers[0], ...body };
}

// The field that the API or a browser complains of.
function complain(form, name, message) {
  const short = name === "tickers" || name.startsWith("tickers") ? "ticker" : name.replace(/^config\./, "");
  const place = byId(`e-${short}`) ?? byId(`e-${short.split(".")[0]}`) ?? byId("e-form");
  const input = byId(`f-${short}`);
  place.textContent = place.id === "e-form" && name ? `${name}: ${message}` : message;
  place.closest("details")?.setAttribute("open", "");
  input?.setAttribute("aria-invalid", "true");
  return input;
}

function clear(form) {
  for (const place of form.querySelectorAll(".wrong")) place.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

async function submit(form) {
  clear(form);
  const invalid = [...form.elements].filter((field) => field.name && !field.checkValidity());
  if (invalid.length > 0) {
    const inputs = invalid.map((field) => complain(form, field.name, field.validationMessage));
    return inputs[0]?.focus();
  }
  const body = bodyOf(form);
  const isBatch = "tickers" in body;
  const { jobs, batches, jobPage, batchPage } = form.dataset;
  const answer = await ask(isBatch ? batches : jobs, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (answer.ok) {
    location.href = isBatch ? batchPage + told.batch_id : jobPage + told.job_id;
    return;
  }
  const inputs = (told.errors ?? []).map(({ field, message }) => complain(form, field, message));
  if (inputs.length === 0) complain(form, "", told.detail);
  inputs.find(Boolean)?.focus();
}

// ---- Buttons and links

async function press(button) {
  if (button.dataset.sure && !confirm(button.dataset.sure)) return;
  button.disabled = true;
  const answer = await ask(button.dataset.path, { method: button.dataset.method });
  if (!answer.ok) byId("news").textContent = (await answer.json()).detail;
  if (answer.ok && button.id === "retry") return location.reload();
  await refresh();
  if (document.contains(button)) button.disabled = false;
}

// Links to what wants a key can't carry one, so what they lead to is fetched and shown from memory.
async function open(link) {
  const answer = await ask(link.href);
  const blob = await answer.blob();
  const name = link.getAttribute("download");
  const shown = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), target: "_blank" });
  if (name) shown.download = name;
  shown.click();
  setTimeout(() => URL.revokeObjectURL(shown.href), 60000);
}

// ---- The key

// Shows the page that was asked for in place of the one that asks for a key.
async function enter(form) {
  const { status, page } = await askPage();
  if (status === 401) {
    if (sessionStorage.getItem(KEY)) {
      sessionStorage.removeItem(KEY);
      byId("key-wrong").textContent = "This key is not one of the service's.";
      byId("key-value").focus();
    }
    return;
  }
  document.head.replaceChildren(...document.adoptNode(page.head).childNodes);
  document.documentElement.replaceChild(document.adoptNode(page.body), document.body);
  begin();
  byId("content")?.focus();
}

// ---- Beginnings

// What has to be done once for each content.
function prepare() {
  byId("submit")?.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(event.target).catch((error) => complain(event.target, "", `The API can't be reached: ${error.message}`));
  });
  byId("key")?.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, byId("key-value").value);
    enter();
  });
}

function begin() {
  stop.abort();
  stop = new AbortController();
  known = remember(document);
  prepare();
  tellTime();
  if (byId("key") && sessionStorage.getItem(KEY)) return enter();
  follow(stop.signal);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-path]");
  if (button) return press(button);
  const link = event.target.closest("a[data-fetch]");
  if (link && sessionStorage.getItem(KEY)) {
    event.preventDefault();
    open(link);
  }
});
document.addEventListener("visibilitychange", () => outOfDate(0));
setInterval(() => {
  tellTime();
  const every = document.querySelector("[data-every]")?.dataset.every;
  if (every && Math.floor(Date.now() / 1000) % Number(every) === 0) outOfDate(0);
}, 1000);
begin();
