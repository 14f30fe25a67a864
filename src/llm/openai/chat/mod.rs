//! Chat Completions: <https://platform.openai.com/docs/api-reference/chat>.

mod completion;
mod messages;
mod question;

pub(super) use completion::{Outcome, read};
pub(super) use question::question;
