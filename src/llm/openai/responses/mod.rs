//! OpenAI's Responses: <https://platform.openai.com/docs/api-reference/responses>.
//!
//! Newer models take tools beside reasoning here alone. Nothing is stored at the server (`store: false`): its reasoning
//! comes encrypted, and returns with the calls that followed it.

mod question;
mod response;

pub(super) use question::question;
pub(super) use response::read;
