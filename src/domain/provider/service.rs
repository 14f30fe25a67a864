//! The columns of the provider table.

/// A model service: where it is, how requests authenticate, and what error messages say about it.
#[derive(Debug)]
pub struct Service {
    /// The name for people.
    pub name: &'static str,
    /// Scheme and host of the base URL; none if each operator has a different one.
    pub url: Option<&'static str>,
    /// The path of the base URL. A custom URL that has only a host gets it too.
    pub path: &'static str,
    /// The setting that holds the key; empty if the service has none.
    pub key: &'static str,
    /// Whether the service requires a key at its own address.
    pub key_required: bool,
    /// Where keys are made.
    pub keys_at: Option<&'static str>,
    /// The header that carries the key.
    pub key_header: KeyHeader,
    /// Headers of every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// What to do if the service can't be reached.
    pub unreachable: &'static str,
    /// What to do if the context has no room for the answer.
    pub room: &'static str,
    /// Where its Chat Completions differ from OpenAI's.
    pub quirks: Quirks,
}

/// How a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHeader {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// The key alone, in a header of this name.
    Named(&'static str),
}

/// Where a provider's Chat Completions differ from OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The field for the reasoning effort.
    pub effort: EffortField,
    /// A user message may not follow a tool message; an assistant message goes between them.
    pub no_user_after_tool: bool,
    /// Open models think unless the request says `enable_thinking: false`, and can think only while streaming
    /// (<https://www.alibabacloud.com/help/en/model-studio/deep-thinking>).
    pub enable_thinking: bool,
    /// With `reasoning_split: true` thoughts come in a separate field instead of as `<think>` in the text
    /// (<https://platform.minimax.io/docs/api-reference/text-openai-api>).
    pub reasoning_split: bool,
}

/// The field of a request that sets the reasoning effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffortField {
    /// `"reasoning_effort": "low"`
    Flat,
    /// `"reasoning": {"effort": "low"}`
    Nested,
    /// There is none: the model's name decides.
    None,
}

impl Quirks {
    /// Like OpenAI.
    pub const NONE: Self =
        Self { effort: EffortField::Flat, no_user_after_tool: false, enable_thinking: false, reasoning_split: false };
}
