// ---- What models are writing

// The latest draft of each agent, by the agent's name in events: a part that is made anew gets its own back.
const drafts = new Map();

// Takes in an event `writing`.
function takeDraft({ data: { data } }) {
  drafts.set(data.agent, data);
  showDraft(data.agent);
}

// Forgets the drafts that a stored event ends: a response is complete, or the attempt is over.
function endDrafts({ type, data }) {
  if (["step_started", "model_answered", "step_finished"].includes(type)) {
    drafts.delete(data.data.agent);
    showDraft(data.data.agent);
  } else if (["claimed", "retry", "released", "requeued", "completed", "failed", "cancelled"].includes(type)) {
    const agents = [...drafts.keys()];
    drafts.clear();
    agents.forEach(showDraft);
  }
}

const showDrafts = () => [...drafts.keys()].forEach(showDraft);

// Shows an agent's draft in its card while it works. The words are a model's, so they are only ever set as text.
function showDraft(agent) {
  const name = agent.replace(/(?:^|_)(.)/g, (_, first) => first.toUpperCase()); // market_analyst: MarketAnalyst
  const place = document.querySelector(`[data-agent="${CSS.escape(name)}"] .draft`);
  if (!place) return;
  const draft = drafts.get(agent);
  place.querySelector(".text span").textContent = (draft?.text ?? "").replace(/\n\s*\n/g, "\n").trim();
  place.querySelector(".count").textContent = draft ? progressOf(draft) : "";
}

function progressOf({ characters }) {
  return characters === 0 ? "thinking…" : `writing… ${characters.toLocaleString("en")} characters`;
}

