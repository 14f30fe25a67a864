//! A Redis that is asked over TLS, wants to see a certificate, and lets a user do no more than the queue needs.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tradingagents::jobs::{RedisOptions, RedisStore, Store};

use crate::{
    store::stage::{LONG, apply, completion, hear, running, soon, stored},
    support::{
        program::Sandbox,
        redis::{Redis, free_port},
    },
};

/// What the user may, as the documentation has it.
const RIGHTS: [&str; 6] = ["~{ta:0}*", "&{ta:0}:*", "+@all", "-@admin", "-@dangerous", "+info"];

/// Certificates, and a Redis that has one of them.
struct Fortress {
    folder: TempDir,
    _redis: Redis,
    port: u16,
}

impl Fortress {
    async fn start() -> Self {
        tradingagents::http_client::install_tls();
        let folder = tempfile::tempdir().unwrap();
        let ours = authority(folder.path(), "ca");
        authority(folder.path(), "other-ca");
        for name in ["server", "client"] {
            certificate(folder.path(), name, &ours);
        }
        let port = free_port();
        let tls_port = port.to_string();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (certificate, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
        let tls = ["--port", "0", "--tls-port", &tls_port, "--tls-auth-clients", "yes"];
        let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
        let users = ["--user", "default", "off", "--user", "desk", "on", ">a-good-password", "resetkeys"];
        let redis = Redis::start_at(port, &[&tls[..], &files, &users, &["resetchannels"], &RIGHTS].concat()).await;
        Self { folder, _redis: redis, port }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All that it takes to be let in.
    fn options(&self, password: &str) -> RedisOptions {
        RedisOptions {
            url: format!("rediss://desk:{password}@127.0.0.1:{}", self.port),
            ca: Some(self.file("ca.pem")),
            identity: Some((self.file("client.pem"), self.file("client.key"))),
            ..RedisOptions::default()
        }
    }
}

/// Who signs certificates; its own is in the folder.
fn authority(folder: &Path, name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), issuer.pem()).unwrap();
    issuer
}

fn certificate(folder: &Path, name: &str, issuer: &CertifiedIssuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".into(), name.into()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

/// What a store says that is not let in.
async fn refusal(options: RedisOptions) -> String {
    match RedisStore::connect(options, LONG, LONG) {
        Ok(store) => soon(store.probe()).await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shows_a_certificate_and_a_password_is_let_in_and_may_all_that_the_queue_needs() {
    let fortress = Fortress::start().await;
    let store = RedisStore::connect(fortress.options("a-good-password"), LONG, LONG).unwrap();
    soon(store.last_event()).await.unwrap();
    let mut live = store.live();
    let claimed = running(&store).await;
    apply(&store, &completion(&claimed.lease())).await;
    store.tidy().await.unwrap();
    let events = hear(&mut live, 3).await;
    assert_eq!(events, stored(&store, tradingagents::jobs::Scope::All).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_is_told_why() {
    let fortress = Fortress::start().await;
    let options = fortress.options("a-good-password");
    let wrong = refusal(fortress.options("hunter2")).await;
    assert!(wrong.contains("WRONGPASS") && !wrong.contains("hunter2"), "{wrong}");
    let stranger = refusal(RedisOptions { ca: Some(fortress.file("other-ca.pem")), ..options.clone() }).await;
    assert!(stranger.contains("UnknownIssuer"), "{stranger}");
    let nobody = refusal(RedisOptions { identity: None, ..options.clone() }).await;
    assert!(nobody.to_lowercase().contains("certificate"), "{nobody}");
    let missing = refusal(RedisOptions { ca: Some(fortress.file("none.pem")), ..options.clone() }).await;
    assert!(missing.contains("REDIS_TLS_CA=") && missing.contains("none.pem"), "{missing}");
    let key = refusal(RedisOptions { ca: Some(fortress.file("client.key")), ..options.clone() }).await;
    assert!(key.contains("it has no certificate"), "{key}");
    let plain = refusal(RedisOptions { url: options.url.replace("rediss", "redis"), ..options }).await;
    assert!(plain.contains("rediss: URL"), "{plain}");
}

#[tokio::test]
async fn the_doctor_gets_in_by_the_settings() {
    let fortress = Fortress::start().await;
    let sandbox = Sandbox::new()
        .set("REDIS_URL", fortress.options("a-good-password").url)
        .set("REDIS_TLS_CA", fortress.file("ca.pem").display())
        .set("REDIS_TLS_CERT", fortress.file("client.pem").display())
        .set("REDIS_TLS_KEY", fortress.file("client.key").display());
    let doctor = sandbox.run(&["doctor"]).await.stdout;
    assert!(doctor.contains("redis    ok") && !doctor.contains("a-good-password"), "{doctor}");
}
