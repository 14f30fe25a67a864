//! The URL of results that are not kept in a folder.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// A bucket of S3, or of a store that speaks as S3 does, and what the names of all results in it begin with:
/// `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Url")]
pub struct ResultsUrl {
    pub bucket: String,
    /// Without slashes around it; may be empty.
    pub prefix: String,
}

impl TryFrom<Url> for ResultsUrl {
    type Error = String;

    fn try_from(url: Url) -> Result<Self, String> {
        if url.scheme() != "s3" {
            return Err(format!("unknown scheme {}", url.scheme()));
        }
        let bucket = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no bucket")?;
        if !url.username().is_empty() || url.port().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err("it has more than a bucket and a prefix".into());
        }
        let prefix = url.path().trim_matches('/');
        if prefix.contains('%') {
            return Err("the prefix has a letter that would have to be escaped".into());
        }
        Ok(Self { bucket: bucket.into(), prefix: prefix.into() })
    }
}

impl fmt::Display for ResultsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, prefix } = self;
        if prefix.is_empty() { write!(f, "s3://{bucket}") } else { write!(f, "s3://{bucket}/{prefix}") }
    }
}

impl Serialize for ResultsUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        ResultsUrl::try_from(Url::parse(text).unwrap()).map(|url| url.to_string())
    }

    #[test]
    fn it_is_a_bucket_and_a_prefix_and_nothing_else() {
        assert_eq!(read("s3://desk").unwrap(), "s3://desk");
        assert_eq!(read("s3://desk/trading/results/").unwrap(), "s3://desk/trading/results");
        for text in
            ["https://desk/results", "s3:///results", "s3://key:secret@desk", "s3://desk:9000/", "s3://desk/a%20b"]
        {
            let problem = read(text).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
