//! Reasoning that leaks into a model's text, where the server does not take it out.

/// What models put around their reasoning.
const TAGS: [(&str, &str); 10] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    // Gemma 4; its channels are named after the opening token.
    ("<|channel>", "<channel|>"),
];
/// What models put around their answer, beside their reasoning.
const ANSWER_TAGS: [&str; 6] =
    ["<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|begin_of_solution|>", "<|end_of_solution|>", "<answer>", "</answer>"];
/// The tokens of harmony, the format of gpt-oss (<https://cookbook.openai.com/articles/openai-harmony>).
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const ENDS: [&str; 4] = ["<|end|>", "<|return|>", "<|call|>", "<|start|>"];

/// The text without reasoning, trimmed.
pub fn without_reasoning(text: &str) -> String {
    let mut text = without_channels(text);
    for (open, close) in TAGS {
        text = without_tag(text, open, close);
    }
    for tag in ANSWER_TAGS {
        if text.contains(tag) {
            text = text.replace(tag, "");
        }
    }
    text.trim().into()
}

/// The text without what stands between two tags. Some templates open the reasoning for the model, so that only the
/// closing tag is in its text; reasoning that never ends is all that follows.
fn without_tag(text: String, open: &str, close: &str) -> String {
    let opened = text.match_indices(open).map(|(at, tag)| (at, at + tag.len(), true));
    let closed = text.match_indices(close).map(|(at, tag)| (at, at + tag.len(), false));
    let mut tags: Vec<_> = opened.chain(closed).collect();
    if tags.is_empty() {
        return text;
    }
    tags.sort_unstable();
    let (mut kept, mut outside) = (String::new(), Some(0));
    for (start, end, opens) in tags {
        match (opens, outside) {
            (true, Some(from)) => {
                kept.push_str(&text[from..start]);
                outside = None;
            }
            (true, None) => {}
            (false, was_outside) => {
                if was_outside.is_some() {
                    kept.clear();
                }
                outside = Some(end);
            }
        }
    }
    kept.push_str(outside.map_or("", |from| &text[from..]));
    kept
}

/// The text of the channels of harmony that are meant for the reader. Messages to tools are kept with their head, from
/// which the call is read.
fn without_channels(text: &str) -> String {
    if !text.contains(CHANNEL) {
        return text.into();
    }
    let mut kept = String::new();
    for part in text.split(CHANNEL).skip(1) {
        let Some((head, body)) = part.split_once(MESSAGE) else { continue };
        let end = ENDS.iter().filter_map(|end| body.find(end)).min().unwrap_or(body.len());
        let to_tool = head.contains("to=");
        match head.split_whitespace().next().unwrap_or_default() {
            _ if to_tool => kept.extend([CHANNEL, head, MESSAGE, &body[..end], "<|call|>"]),
            "final" | "commentary" => kept.push_str(&body[..end]),
            // The reasoning, named analysis.
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_is_removed_however_it_is_marked() {
        for leaking in [
            "<think>Hm.\nWell.</think>\n\nBuy.",
            "Hm. Well.</think>Buy.",
            "<think>Hm</think>Buy. <think>Or",
            "[THINK]Hm[/THINK]Buy.",
            "<thinking>Hm</thinking>Buy.",
            "<thought>Hm</thought>Buy.",
            "<|channel>thought\nHm<channel|>Buy.",
            "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Buy.<|return|>",
            "<|START_THINKING|>Hm<|END_THINKING|><|START_RESPONSE|>Buy.<|END_RESPONSE|>",
        ] {
            assert_eq!(without_reasoning(leaking), "Buy.", "{leaking}");
        }
        assert_eq!(without_reasoning("<think>Hm. And so on and so on"), "");
        assert_eq!(without_reasoning("<|channel|>analysis<|message|>Hm, and so on"), "");
    }

    #[test]
    fn a_text_without_marks_stays_as_it_is() {
        assert_eq!(without_reasoning(" Buy at 1 < 2; I think so. "), "Buy at 1 < 2; I think so.");
    }
}
