//! Credentials for Amazon Bedrock, and AWS Signature Version 4.
//!
//! `object_store`, which the results bucket uses already, signs for any AWS service and fetches the credentials of an EC2
//! instance's role; aws-sigv4 would add a second implementation of SHA-256, HMAC and dates to the program.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, RetryConfig, StaticCredentialProvider,
    aws::{AmazonS3Builder, AwsAuthorizer, AwsCredential, AwsCredentialProvider},
    client::{HttpRequest, HttpRequestBody},
};
use reqwest::{
    Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::super::LlmError;
use crate::{http_client::root_cause, results::s3_client::Connector};

/// The service name in signatures, the same for the endpoint that runs models and the endpoint that lists them.
const SERVICE: &str = "bedrock";
/// The metadata service of EC2, which has the credentials of the instance's role.
const METADATA: &str = "http://169.254.169.254";
/// The longest wait for the metadata service. Outside of Amazon's network nothing answers there.
const METADATA_TIMEOUT: Duration = Duration::from_secs(6);

/// Bedrock's region and the credentials that requests are signed with.
#[derive(Debug, Clone)]
pub struct Options {
    pub region: String,
    pub credentials: Credentials,
}

impl Default for Options {
    fn default() -> Self {
        Self { region: "us-east-1".into(), credentials: Credentials::None }
    }
}

/// What signs requests where no Bedrock API key is set.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Nothing: requests go unsigned.
    #[default]
    None,
    Key(AccessKey),
    /// The role of the EC2 instance that the program runs on.
    Role,
}

/// An access key of IAM.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub id: SecretString,
    pub secret: SecretString,
    /// Of temporary credentials.
    pub session_token: Option<SecretString>,
    /// The settings that hold the key, for error messages.
    pub settings: &'static str,
}

/// Signs requests for one region.
pub(in crate::llm) struct Signer {
    region: String,
    credentials: AwsCredentialProvider,
    /// Of a temporary key from the settings.
    pub session_token: Option<SecretString>,
    /// What to check if the credentials are refused.
    pub settings: &'static str,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Signer {
    /// The signer of these options; none if there is nothing to sign with.
    pub fn new(options: &Options) -> Result<Option<Self>, LlmError> {
        let (credentials, session_token, settings) = match &options.credentials {
            Credentials::None => return Ok(None),
            Credentials::Key(key) => (fixed(key)?, key.session_token.clone(), key.settings),
            Credentials::Role => (of_the_instance(&options.region)?, None, "the role of this EC2 instance"),
        };
        Ok(Some(Self { region: options.region.clone(), credentials, session_token, settings }))
    }

    /// Adds the headers of a signature made now, which Amazon accepts for five minutes.
    pub async fn sign(&self, request: &mut Request) -> Result<(), LlmError> {
        let credential = self.credential().await?;
        let mut unsigned = HttpRequest::new(HttpRequestBody::empty());
        *unsigned.method_mut() = request.method().clone();
        *unsigned.uri_mut() = request.url().as_str().parse().map_err(|error| not_signed(&error))?;
        // The HTTP client adds headers later, and proxies may change them. So only host, date, session token, content type
        // and body are signed.
        if let Some(content_type) = request.headers().get(CONTENT_TYPE) {
            unsigned.headers_mut().insert(CONTENT_TYPE, content_type.clone());
        }
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let body = digest(&SHA256, body);
        let authorizer = AwsAuthorizer::new(&credential, SERVICE, &self.region);
        authorizer.try_authorize(&mut unsigned, Some(body.as_ref())).map_err(|error| not_signed(&error))?;
        for (name, value) in unsigned.headers() {
            let mut value = value.clone();
            value.set_sensitive(name == AUTHORIZATION || name == "x-amz-security-token");
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    async fn credential(&self) -> Result<Arc<AwsCredential>, LlmError> {
        let credential = tokio::time::timeout(METADATA_TIMEOUT, self.credentials.get_credential()).await;
        let cause = match credential {
            Ok(Ok(credential)) => return Ok(credential),
            Ok(Err(error)) => root_cause(&error),
            Err(_) => format!("{METADATA} did not answer within {} s", METADATA_TIMEOUT.as_secs()),
        };
        Err(LlmError::NotConfigured(format!(
            "there is no key for Amazon Bedrock: set AWS_BEARER_TOKEN_BEDROCK, or BEDROCK_ACCESS_KEY_ID and \
             BEDROCK_SECRET_ACCESS_KEY; this machine has no role either ({cause})"
        )))
    }
}

/// A key from the settings. Characters that a header can't hold are refused here, because the authorizer panics on them.
fn fixed(key: &AccessKey) -> Result<AwsCredentialProvider, LlmError> {
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    let (key_id, token) = (text(&key.id), key.session_token.as_ref().map(text));
    let fits = |text: &String| HeaderValue::from_str(text).is_ok_and(|value| value.to_str().is_ok());
    if !fits(&key_id) || !token.as_ref().is_none_or(fits) {
        return Err(LlmError::NotConfigured(format!(
            "{} have characters that no key has: check them for line breaks",
            key.settings
        )));
    }
    Ok(Arc::new(StaticCredentialProvider::new(AwsCredential { key_id, secret_key: text(&key.secret), token })))
}

/// The credentials of the instance's role, fetched at the first use and again before they expire. `object_store` has them
/// for its buckets only, so a bucket is named, which nothing asks for.
fn of_the_instance(region: &str) -> Result<AwsCredentialProvider, LlmError> {
    let metadata = Url::parse(METADATA).expect("the address is a URL");
    let retry = RetryConfig { max_retries: 2, retry_timeout: METADATA_TIMEOUT, backoff: BackoffConfig::default() };
    let bucket = AmazonS3Builder::new()
        .with_bucket_name("none")
        .with_region(region)
        .with_http_connector(Connector(metadata))
        .with_retry(retry)
        .build()
        .map_err(|error| LlmError::NotConfigured(root_cause(&error)))?;
    Ok(bucket.credentials().clone())
}

fn not_signed(error: &dyn std::error::Error) -> LlmError {
    LlmError::NotConfigured(format!("a request to Amazon Bedrock can't be signed: {}", root_cause(error)))
}
