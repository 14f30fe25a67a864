//! A bucket of a real S3 server. `S3_SERVER` is its base URL, as `tests/s3_server/run` sets it; without it the stories that
//! need one are not told, and `tests/run` says so.

use std::env;

use reqwest::{Client, Method, header};

use super::program::Sandbox;

/// Who asks. moto looks at no signature.
const ASKING: &str =
    "AWS4-HMAC-SHA256 Credential=desk/20240510/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

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
        let url = format!("{}/{}{what}", self.server, self.name);
        let answer = Client::new().request(method, url).header(header::AUTHORIZATION, ASKING).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{what}");
        answer.text().await.unwrap()
    }
}

/// The settings of results in a bucket of the server at this URL.
pub fn settings(server: &str, bucket: &str) -> [(&'static str, String); 5] {
    [
        ("RESULTS_URL", format!("s3://{bucket}/trading/results")),
        ("AWS_ENDPOINT_URL", server.into()),
        ("AWS_ALLOW_HTTP", "true".into()),
        ("AWS_ACCESS_KEY_ID", "desk".into()),
        ("AWS_SECRET_ACCESS_KEY", "desk-secret".into()),
    ]
}

/// The sandbox with these settings.
pub fn with(sandbox: Sandbox, settings: &[(&str, String)]) -> Sandbox {
    settings.iter().fold(sandbox, |sandbox, (name, value)| sandbox.set(name, value))
}
