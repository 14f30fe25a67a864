
// ---- Buttons and links

// Makes a button wait for what it began; gives the end of that.
function busy(button, words = button.textContent) {
  const before = button.textContent;
  button.disabled = true;
  button.textContent = words;
  return () => {
    button.disabled = false;
    button.textContent = before;
    if (document.activeElement === document.body) button.focus();
  };
}

// Says beside the buttons why what they were to do was not done.
function warn(text) {
  const place = byId("wrong");
  if (!place) return;
  place.textContent = text;
  if (text) place.scrollIntoView({ block: "nearest" });
}

async function press(button) {
  if (button.dataset.sure && !confirm(button.dataset.sure)) return;
  warn("");
  const free = busy(button);
  try {
    const answer = await (button.dataset.each ? askEach(button) : ask(button.dataset.path, { method: button.dataset.method }));
    if (answer.ok && button.id === "retry") return location.reload();
    if (!answer.ok) warn((await problemOf(answer)).detail);
    await refresh();
  } catch (error) {
    warn(unreachable(error));
  }
  free();
}

// Asks the same of each job of the table that has not ended, until one can't be had. One that ended meanwhile is no matter.
async function askEach(button) {
  for (const row of document.querySelectorAll("tr[data-open]")) {
    const answer = await ask(button.dataset.path + row.dataset.job, { method: button.dataset.method });
    if (!answer.ok && answer.status !== 409) return answer;
  }
  return { ok: true };
}

// Links to what wants a key can't carry one, so what they lead to is fetched and shown from memory.
async function fetchAndShow(link) {
  warn("");
  const answer = await ask(link.href);
  if (!answer.ok) return warn((await problemOf(answer)).detail);
  const blob = await answer.blob();
  const name = link.getAttribute("download");
  const shown = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), target: "_blank" });
  if (name) shown.download = name;
  shown.click();
  setTimeout(() => URL.revokeObjectURL(shown.href), 60000);
}

// Copies an id; where a browser does not let a page do so, which wants TLS for it, selects it for whoever does it himself.
async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = byId("news").textContent = "Copied";
    await pause(2000);
    button.textContent = "Copy";
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling);
  }
}
