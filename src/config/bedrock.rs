//! Which credentials of the settings are Amazon Bedrock's.

use secrecy::SecretString;

use super::Config;
use crate::llm::bedrock::{AccessKey, Credentials, Options};

const OWN_KEY: &str = "BEDROCK_ACCESS_KEY_ID, BEDROCK_SECRET_ACCESS_KEY and BEDROCK_SESSION_TOKEN";
const SHARED_KEY: &str = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN";

impl Config {
    /// Bedrock's region, and its credentials if it is `trusted` with the operator's: a job could name a server that
    /// collects them.
    pub fn bedrock(&self, trusted: bool) -> Options {
        let region = self.bedrock_region.clone().unwrap_or_else(|| self.aws_region.clone());
        let credentials = if trusted { self.bedrock_credentials() } else { Credentials::None };
        Options { region, credentials }
    }

    fn bedrock_credentials(&self) -> Credentials {
        let own = (&self.bedrock_access_key_id, &self.bedrock_secret_access_key, &self.bedrock_session_token);
        let shared = (&self.aws_access_key_id, &self.aws_secret_access_key, &self.aws_session_token);
        // A store elsewhere, such as MinIO, has other keys.
        let shared = key(shared, SHARED_KEY).filter(|_| self.aws_endpoint_url.is_none());
        key(own, OWN_KEY).or(shared).map_or(Credentials::Role, Credentials::Key)
    }
}

type Settings<'a> = (&'a Option<SecretString>, &'a Option<SecretString>, &'a Option<SecretString>);

fn key((id, secret, token): Settings, settings: &'static str) -> Option<AccessKey> {
    let (id, secret) = id.clone().zip(secret.clone())?;
    Some(AccessKey { id, secret, session_token: token.clone(), settings })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::load;

    fn id_of(settings: &[(&str, &str)]) -> Option<String> {
        let config = load(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).unwrap();
        match config.bedrock(true).credentials {
            Credentials::Key(key) => Some(key.id.expose_secret().to_owned()),
            _ => None,
        }
    }

    #[test]
    fn the_buckets_key_serves_bedrock_too_unless_it_is_another_stores() {
        let bucket = [("AWS_ACCESS_KEY_ID", "bucket"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let own = [("BEDROCK_ACCESS_KEY_ID", "own"), ("BEDROCK_SECRET_ACCESS_KEY", "secret")];
        let minio = [("AWS_ENDPOINT_URL", "https://minio.example:9000")];
        assert_eq!(id_of(&bucket).as_deref(), Some("bucket"));
        assert_eq!(id_of(&[bucket, own].concat()).as_deref(), Some("own"));
        assert_eq!(id_of(&[&bucket[..], &minio[..]].concat()), None);
        assert_eq!(id_of(&[&bucket[..], &minio[..], &own[..]].concat()).as_deref(), Some("own"));
    }

    #[test]
    fn the_region_is_bedrocks_own_or_that_of_the_bucket() {
        let region = |name: &str| load([(name.to_owned(), "eu-central-1".to_owned())]).unwrap().bedrock(true).region;
        assert_eq!(region("BEDROCK_REGION"), "eu-central-1");
        assert_eq!(region("AWS_REGION"), "eu-central-1");
    }

    #[test]
    fn a_server_that_a_job_names_gets_no_credentials() {
        let config = load([]).unwrap();
        assert!(matches!(config.bedrock(true).credentials, Credentials::Role));
        assert!(matches!(config.bedrock(false).credentials, Credentials::None));
    }
}
