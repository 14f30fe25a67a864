//! What a model has written so far of a response that is still coming.

use tokio::sync::watch;

use super::response::without_reasoning;

/// How much of the end of a draft is shown, characters.
const SHOWN: usize = 600;

/// The text of a response as it comes. The client writes, whoever shows it subscribes; nobody has to.
#[derive(Debug, Default)]
pub struct Draft(watch::Sender<String>);

impl Draft {
    /// The text as it grows. A receiver that is slow sees the newest state, never a backlog.
    pub fn subscribe(&self) -> watch::Receiver<String> {
        self.0.subscribe()
    }

    /// The end of the text so far, without reasoning, and the length of all of it in characters.
    pub fn shown(&self) -> (String, usize) {
        let text = without_reasoning(&self.0.borrow());
        let characters = text.chars().count();
        let tail = text.char_indices().rev().nth(SHOWN - 1).map_or(0, |(start, _)| start);
        (text[tail..].into(), characters)
    }

    /// A response begins, or begins again after a failure.
    pub(super) fn restart(&self) {
        self.0.send_if_modified(|text| {
            let had_text = !text.is_empty();
            text.clear();
            had_text
        });
    }

    /// The response goes on.
    pub(super) fn write(&self, more: &str) {
        if !more.is_empty() {
            self.0.send_modify(|text| text.push_str(more));
        }
    }
}
