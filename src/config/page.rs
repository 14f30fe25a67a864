//! The settings as a page of documentation, which is `docs/CONFIGURATION.md`.

use super::{Setting, settings};

const HEAD: &str = "\
# Configuration

Every setting is an environment variable; an empty one is as good as none. `tradingagents doctor` shows the values that are
in force. [.env.example](../.env.example) has the same list by topic, with the variables of the compose stack before it.

A secret is shown nowhere. It may also be the content of a file, which `NAME_FILE` names: `OPENAI_API_KEY_FILE`.

This page is what `tradingagents settings` prints; a test compares the two.

| setting | default | what it means | what is allowed |
| --- | --- | --- | --- |
";

/// The page, in Markdown.
pub fn page() -> String {
    settings().iter().fold(HEAD.to_owned(), |page, setting| page + &row(setting))
}

fn row(setting: &Setting) -> String {
    let Setting { name, doc, default, allowed, secret, .. } = setting;
    let default = default.as_ref().map(|default| format!("`{default}`")).unwrap_or_default();
    let secret = if *secret { "; secret" } else { "" };
    format!("| `{name}` | {default} | {} | {}{secret} |\n", plain(doc), plain(allowed))
}

/// A text whose characters mean nothing to Markdown.
fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;")
}
