// What the pages do beside being read: they keep themselves up to date, submit the form, and show a key where one is
// wanted. The server makes all HTML. Of a page that it makes anew, the parts marked data-live replace those that differ.
"use strict";

const KEY = "tradingagents-key";

const byId = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// ---- What the service is asked, and what it answers

function ask(url, options = {}) {
  const headers = new Headers(options.headers);
  const key = sessionStorage.getItem(KEY);
  if (key) headers.set("authorization", `Bearer ${key}`);
  return fetch(url, { ...options, headers, cache: "no-store" });
}

// The page at this address as the service makes it now. Only what is sent as HTML is read as HTML: all else, such as a
// result or a problem, may hold the words of models and of strangers, and stays a text.
async function askPage() {
  const answer = await ask(location.href, { headers: { accept: "text/html" } });
  const { status, redirected, url } = answer;
  const kind = answer.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
  if (kind === "text/html") {
    return { status, redirected, url, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
  }
  if (kind === "text/event-stream") {
    await answer.body.cancel();
    return { status, text: "This is a stream of events, for programs. It does not end, so it is not shown here." };
  }
  return { status, text: await answer.text() };
}

// Why the service did not do what it was asked.
async function problemOf(answer) {
  const told = await answer.json().catch(() => ({}));
  return { detail: `The service answered ${answer.status} ${answer.statusText}`.trim(), ...told };
}

const unreachable = (error) => `The service can't be reached: ${error.message}`;
