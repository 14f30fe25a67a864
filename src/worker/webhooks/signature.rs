//! Signatures by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::config::WebhookSecrets;

/// The header `webhook-signature`: `v1,` and the signature in base64, one for each secret, blanks between.
pub fn signatures(secrets: &WebhookSecrets, id: &str, timestamp: i64, body: &str) -> String {
    let content = format!("{id}.{timestamp}.{body}");
    let signatures = secrets.keys().map(|key| {
        let signature = sign(&Key::new(HMAC_SHA256, key), content.as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(signature))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn a_signature_is_as_others_make_it() {
        let secrets: WebhookSecrets = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().try_into().unwrap();
        let signature = signatures(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
