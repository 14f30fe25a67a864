//! The model providers.
//!
//! `table.rs` has one row for each, a [`Service`]. All that is known of a provider follows from its row: the variant of
//! [`Provider`], its name in configuration, JSON and the JSON schema, where it is, the setting that holds its key, and
//! where its Chat Completions differ from OpenAI's ([`Quirks`]).

mod service;
mod table;

pub use service::{EffortField, KeyHeader, Quirks, Service};
pub use table::Provider;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use url::Url;

    use super::*;

    #[test]
    fn every_name_reads_as_its_provider() {
        for (name, provider) in Provider::NAMES.into_iter().zip(Provider::ALL) {
            let read: Provider = serde_json::from_value(name.into()).unwrap();
            assert_eq!((read, read.as_str()), (provider, name));
            assert_eq!(serde_json::to_value(provider).unwrap(), name);
        }
    }

    #[test]
    fn no_two_providers_share_a_key_or_an_address() {
        let services = || Provider::ALL.into_iter().map(Provider::service);
        let keys: Vec<_> = services().filter(|service| !service.key.is_empty()).map(|service| service.key).collect();
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:?}");
        let urls: Vec<_> = services().filter_map(|service| service.url).collect();
        assert_eq!(urls.iter().collect::<HashSet<_>>().len(), urls.len(), "{urls:?}");
    }

    #[test]
    fn every_address_is_https_and_its_path_is_apart() {
        for service in Provider::ALL.into_iter().map(Provider::service) {
            assert!(service.path.starts_with('/'), "{}", service.name);
            if let Some(url) = service.url {
                let url = Url::parse(url).unwrap();
                assert_eq!((url.scheme(), url.path()), ("https", "/"), "{}", service.name);
            }
        }
    }

    #[test]
    fn keys_are_named_as_environment_variables_are() {
        for service in Provider::ALL.into_iter().map(Provider::service) {
            let is_fine = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
            assert!(service.key.bytes().all(is_fine), "{}", service.key);
            assert!(
                !service.key_required || (!service.key.is_empty() && service.keys_at.is_some()),
                "{}",
                service.name
            );
        }
    }
}
