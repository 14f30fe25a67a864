
// ---- The key

// Shows what was asked for in place of the page that asks for a key.
async function enter() {
  const { status, redirected, url, page, text } = await askPage();
  if (status === 401) return refuse();
  if (redirected) history.replaceState(null, "", url);
  if (!page) return showText(text);
  document.head.replaceChildren(...document.adoptNode(page.head).childNodes);
  document.documentElement.replaceChild(document.adoptNode(page.body), document.body);
  begin();
  byId("content")?.focus();
}

function refuse() {
  if (!sessionStorage.getItem(KEY)) return;
  sessionStorage.removeItem(KEY);
  byId("key-wrong").textContent = "This key is not one of the service's.";
  byId("key-value").focus();
}

function showText(text) {
  document.title = `${location.pathname} · TradingAgents`;
  byId("content").replaceChildren(Object.assign(document.createElement("pre"), { className: "raw", textContent: text }));
}

// ---- Beginnings

// What has to be done once for each content.
function prepare() {
  byId("submit")?.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(event.target);
  });
  byId("key")?.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, byId("key-value").value);
    tryKey();
  });
}

const tryKey = () => enter().catch((error) => { byId("key-wrong").textContent = unreachable(error); });

function begin() {
  known = remember(document);
  last = document.body.dataset.shown ?? "";
  prepare();
  tellTime();
  if (byId("key") && sessionStorage.getItem(KEY)) return tryKey();
  listen();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.path) return press(button);
  if (button?.dataset.copy) return copy(button);
  const link = event.target.closest("a[data-fetch]");
  if (link && sessionStorage.getItem(KEY)) {
    event.preventDefault();
    fetchAndShow(link).catch((error) => warn(unreachable(error)));
  }
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return stop.abort();
  if (known.size > 0) outOfDate(0);
  listen();
});
// A page that comes back from the browser's memory is as it was left, its form submitted.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
setInterval(() => {
  tellTime();
  const every = document.querySelector("[data-every]")?.dataset.every;
  if (every && Math.floor(Date.now() / 1000) % Number(every) === 0) outOfDate(0);
}, 1000);
begin();
