
// ---- Events

let stop = new AbortController(); // ends the stream that the page follows
let last = ""; // the last event that the page knows of

function setLink(state, words) {
  const link = byId("link");
  if (!link) return;
  link.dataset.state = state;
  link.querySelector(".words").textContent = words;
}

// Follows the events of the page, while somebody sees it: a browser has few connections for all its tabs.
function listen() {
  stop.abort();
  stop = new AbortController();
  if (!document.hidden) follow(stop.signal);
}

// Nothing changes any more.
function end() {
  delete document.body.dataset.events;
  stop.abort();
  setLink("ended", "up to date");
}

async function follow(signal) {
  let wait = 500;
  while (document.body.dataset.events && !signal.aborted) {
    try {
      const headers = { accept: "text/event-stream", ...(last ? { "last-event-id": last } : {}) };
      const answer = await ask(document.body.dataset.events, { headers, signal });
      if (!answer.ok) throw new Error(answer.status);
      setLink("live", "live");
      wait = 500;
      outOfDate();
      for await (const event of read(answer.body)) {
        last = event.id || last;
        if (event.type === "writing") {
          takeDraft(event);
          continue;
        }
        if (isOfPage(event.data.job_id)) endDrafts(event);
        if (!concerns(event)) continue;
        outOfDate();
        tell(event);
        if (isEndOfAll(event)) return;
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

const rowOf = (job) => document.querySelector(`[data-job="${CSS.escape(job)}"]`);
const isOfPage = (job) => document.body.dataset.events?.includes(job);

// Whether an event may change the page: one of a batch shows its own jobs alone.
function concerns({ data }) {
  return !document.querySelector("[data-own]") || !data.job_id || rowOf(data.job_id) !== null;
}

// Whether the page's own job has ended.
function isEndOfAll({ type, data }) {
  return ["completed", "failed", "cancelled"].includes(type) && isOfPage(data.job_id);
}

// Tells of ends alone, and of jobs that the page names: whoever listens to it does not want to hear each step.
function tell({ type, data }) {
  const words = { completed: `completed: ${data.data?.decision}`, failed: "failed", cancelled: "cancelled" }[type];
  if (!words) return;
  const name = rowOf(data.job_id)?.querySelector("th") ?? (isOfPage(data.job_id) ? document.querySelector("h1") : null);
  if (name) byId("news").textContent = `${name.textContent.trim()} ${words}`;
}
