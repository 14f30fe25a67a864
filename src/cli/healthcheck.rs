//! `healthcheck`: whether this host's part of the service does its work, for images without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::{Args, ValueEnum};
use url::Url;

use super::{
    client::Client,
    exit::{CliError, Exit},
    output::Output,
};
use crate::{config::Config, jobs::Queue, worker};

/// Check a part of the service; exits with 0 if it is healthy, with 3 if not
#[derive(Debug, Clone, Args)]
pub struct HealthcheckArgs {
    /// The part to check
    #[arg(value_enum, default_value_t = Part::Api)]
    pub part: Part,
}

/// A part of the service that has a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The HTTP API and its job store
    Api,
    /// The worker of this host
    Worker,
}

/// Asks the API whether it can take jobs.
pub async fn api(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let health = client.health().await?;
    output.line(format_args!("the API at {} is {}", client.place(), health.status))?;
    Ok(Exit::Done)
}

/// Looks for the heartbeat of a worker of this host.
pub async fn worker(config: &Config, queue: &Queue, output: &Output) -> anyhow::Result<Exit> {
    let workers = queue.workers().await?;
    let here = workers.iter().find(|info| worker::is_of_this_host(config, &info.id));
    if let Some(info) = here {
        output.line(format_args!("worker {} runs {} of {} jobs", info.id, info.running.len(), info.concurrency))?;
        return Ok(Exit::Done);
    }
    output.error("no worker of this host was heard of lately; see its log");
    Ok(Exit::Unreachable)
}

/// Where the API to check is: `TRADINGAGENTS_URL` if it was set, and the place that this host's API listens on
/// otherwise. An address that means "every address" can't be asked, so the loopback address stands for it.
pub fn api_url(config: &Config) -> Url {
    if config.tradingagents_url != Config::default().tradingagents_url {
        return config.tradingagents_url.clone();
    }
    let listen = config.api_listen;
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, listen.port());
    Url::parse(&format!("http://{address}/")).expect("a socket address is the host and port of a URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url_when_listening_on(listen: &str) -> String {
        api_url(&Config { api_listen: listen.parse().unwrap(), ..Config::default() }).to_string()
    }

    #[test]
    fn an_api_on_every_address_is_asked_on_loopback() {
        assert_eq!(url_when_listening_on("0.0.0.0:9000"), "http://127.0.0.1:9000/");
        assert_eq!(url_when_listening_on("[::]:9000"), "http://[::1]:9000/");
        assert_eq!(url_when_listening_on("10.1.2.3:9000"), "http://10.1.2.3:9000/");
    }

    #[test]
    fn an_address_that_was_set_comes_first() {
        let set = Url::parse("http://api.example/").unwrap();
        assert_eq!(api_url(&Config { tradingagents_url: set.clone(), ..Config::default() }), set);
    }
}
