//! Cuts a secret out of what the other side said, which may repeat what it was told: Alpha Vantage names the key that is
//! over its limit, and OpenAI the one that it refuses.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};

/// A shorter secret is no secret, and may be a word like any other.
const SHORTEST: usize = 8;

/// The text without the secret.
pub fn redacted<'a>(text: &'a str, secret: &SecretString) -> Cow<'a, str> {
    let secret = secret.expose_secret();
    if secret.len() >= SHORTEST && text.contains(secret) { text.replace(secret, "***").into() } else { text.into() }
}

/// An answer without the secret. What is no text has none that anybody would read.
pub fn redacted_bytes(answer: Vec<u8>, secret: Option<&SecretString>) -> Vec<u8> {
    let clean = match (secret, str::from_utf8(&answer)) {
        (Some(secret), Ok(text)) => match redacted(text, secret) {
            Cow::Owned(clean) => Some(clean),
            Cow::Borrowed(_) => None,
        },
        _ => None,
    };
    clean.map_or(answer, String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_cut_out_and_a_word_is_not() {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let cut = |text: &str, by: &str| redacted_bytes(text.into(), Some(&secret(by)));
        assert_eq!(cut("your key k-12345678 and k-12345678", "k-12345678"), b"your key *** and ***");
        assert_eq!(cut("a test of tests", "test"), b"a test of tests");
        assert_eq!(redacted_bytes(b"as it is".into(), None), b"as it is");
    }
}
