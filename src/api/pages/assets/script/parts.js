
// ---- The parts of a page, and when they are looked at again

let known = new Map(); // the parts as the server made them, by id
// One look at a time. What happens meanwhile asks for another, and a look that failed is repeated, later each time.
const look = { timer: null, busy: null, isDue: false, failures: 0 };

function remember(page) {
  return new Map([...page.querySelectorAll("[data-live]")].map((part) => [part.id, part.outerHTML]));
}

// Looks at the page again soon, but not for each of many events, and not while nobody sees it.
function outOfDate(wait = 300) {
  look.isDue = true;
  if (look.timer || look.busy || document.hidden) return;
  look.timer = setTimeout(refresh, wait);
}

async function refresh() {
  clearTimeout(look.timer);
  look.timer = null;
  if (look.busy) {
    look.isDue = true;
    return look.busy;
  }
  look.isDue = false;
  look.busy = showNews().then(() => { look.failures = 0; }, () => { look.failures += 1; look.isDue = true; });
  await look.busy;
  look.busy = null;
  if (look.isDue) outOfDate(look.failures ? Math.min(500 * 2 ** look.failures, 15000) : 300);
}

async function showNews() {
  const { status, page } = await askPage();
  if (status === 429 || status >= 500) throw new Error(status);
  if (status !== 200 || !page) return;
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
  showDrafts();
  tellTime();
  if (!page.body.dataset.events) end();
}

// Puts a part in place. What a reader has opened stays open, and the focus where it was.
function replace(old, part) {
  for (const opened of old.querySelectorAll("details[id]")) {
    const now = part.querySelector(`#${CSS.escape(opened.id)}`);
    if (now) now.open = opened.open;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const way = focused ? wayTo(focused, old) : [];
  const placed = document.adoptNode(part);
  old.replaceWith(placed);
  if (!focused) return;
  const same = focused.id ? byId(focused.id) : way.reduce((at, place) => at?.children[place], placed);
  (same ?? byId("content")).focus({ preventScroll: true });
}

// The way from a part down to an element of it: its place among its siblings, at each step.
function wayTo(element, part) {
  const way = [];
  for (let at = element; at !== part; at = at.parentElement) way.unshift([...at.parentElement.children].indexOf(at));
  return way;
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
