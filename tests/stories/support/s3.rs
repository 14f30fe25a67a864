//! A bucket of a real S3 server. `S3_SERVER` is its base URL, as `tests/s3_server/run` sets it; without it the stories that
//! need one are not told, and `tests/run` says so.

use std::env;

use chrono::Utc;
use reqwest::{Client, Method, Url};
use ring::{
    digest::{SHA256, digest},
    hmac::{self, HMAC_SHA256},
};

use super::program::Sandbox;

/// Who may use the bucket.
const KEY: (&str, &str) = ("desk", "desk-secret");

/// A bucket of its own.
pub struct S3Bucket {
    server: String,
    name: String,
}

impl S3Bucket {
    /// A new bucket; none without a server.
    pub async fn make() -> Option<Self> {
        let bucket = Self { server: env::var("S3_SERVER").ok()?, name: format!("desk-{}", uuid::Uuid::now_v7()) };
        bucket.ask(Method::PUT, "").await;
        Some(bucket)
    }

    /// The settings of results in this bucket.
    pub fn settings(&self) -> [(&'static str, String); 5] {
        settings(&self.server, &self.name)
    }

    /// The names of all that is in it, in order.
    pub async fn names(&self) -> Vec<String> {
        let list = self.ask(Method::GET, "?list-type=2").await;
        list.split("<Key>").skip(1).map(|rest| rest.split_once("</Key>").unwrap().0.to_owned()).collect()
    }

    /// The text of that name.
    pub async fn text(&self, name: &str) -> String {
        self.ask(Method::GET, &format!("/{name}")).await
    }

    async fn ask(&self, method: Method, what: &str) -> String {
        tradingagents::http_client::install_tls();
        // As it is signed.
        let url: Url = format!("{}/{}{}", self.server, self.name, what.replace('^', "%5E")).parse().unwrap();
        let mut request = Client::new().request(method.clone(), url.clone());
        for (name, value) in signed(&method, &url) {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{what}");
        answer.text().await.unwrap()
    }
}

/// The headers of a request that is signed by AWS Signature Version 4,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
fn signed(method: &Method, url: &Url) -> [(&'static str, String); 3] {
    const HEADERS: &str = "host;x-amz-content-sha256;x-amz-date";
    const BODY: &str = "UNSIGNED-PAYLOAD";
    let at = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/us-east-1/s3/aws4_request", &at[..8]);
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    let request = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{BODY}\nx-amz-date:{at}\n\n{HEADERS}\n{BODY}"
    );
    let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", hex(digest(&SHA256, request.as_bytes()).as_ref()));
    let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(HMAC_SHA256, key), text.as_bytes());
    let (id, secret) = KEY;
    let key =
        scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| sign(&key, part).as_ref().to_vec());
    let signature = hex(sign(&key, &text).as_ref());
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={HEADERS}, Signature={signature}");
    [("authorization", authorization), ("x-amz-content-sha256", BODY.into()), ("x-amz-date", at)]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The settings of results in a bucket of the server at this URL.
pub fn settings(server: &str, bucket: &str) -> [(&'static str, String); 5] {
    [
        ("RESULTS_URL", format!("s3://{bucket}/trading/results")),
        ("AWS_ENDPOINT_URL", server.into()),
        ("AWS_ALLOW_HTTP", "true".into()),
        ("AWS_ACCESS_KEY_ID", KEY.0.into()),
        ("AWS_SECRET_ACCESS_KEY", KEY.1.into()),
    ]
}

/// The sandbox with these settings.
pub fn with(sandbox: Sandbox, settings: &[(&str, String)]) -> Sandbox {
    settings.iter().fold(sandbox, |sandbox, (name, value)| sandbox.set(name, value))
}
