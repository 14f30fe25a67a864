
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

// What was submitted last. Its answer may have been lost, so the same again has the same key, and is the same submission.
let submitted = { body: null, key: null };

function keyOf(body) {
  if (submitted.body !== body) submitted = { body, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
  return submitted.key;
}

async function submit(form) {
  clear(form);
  const invalid = [...form.elements].filter((field) => field.name && !field.checkValidity());
  if (invalid.length > 0) {
    const inputs = invalid.map((field) => complain(form, field.name, field.validationMessage));
    return inputs[0]?.focus();
  }
  const free = busy(form.querySelector("[type=submit]"), "Submitting…");
  try {
    const page = await send(form, bodyOf(form));
    if (page) return location.assign(page);
  } catch (error) {
    complain(form, "", `${unreachable(error)}. It may have the job already; submitted again as it is, it is the same job.`);
  }
  free();
}

// Submits what the form says. Gives the page to go to, or says in the form what is wrong with it.
async function send(form, body) {
  const isBatch = "tickers" in body;
  const { jobs, batches, jobPage, batchPage } = form.dataset;
  const text = JSON.stringify(body);
  const answer = await ask(isBatch ? batches : jobs, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": keyOf(text) },
    body: text,
  });
  if (answer.ok) {
    const told = await answer.json();
    return isBatch ? batchPage + told.batch_id : jobPage + told.job_id;
  }
  const { errors = [], detail } = await problemOf(answer);
  const inputs = errors.map(({ field, message }) => complain(form, field, message));
  if (inputs.length === 0) complain(form, "", detail);
  inputs.find(Boolean)?.focus();
}
