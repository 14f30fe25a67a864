//! `doctor`: every setting, and whether what they name is there; one line each, with the mend.

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    exit::{CliError, Exit},
    output::Output,
    service,
    sources::Sources,
    verdict::Verdict,
};
use crate::{
    config::{Config, Setting, settings},
    jobs::Gpu,
    results::Results,
    worker::{Desk, gpu::Gpus},
};

/// Report on every setting, and on what is reachable and what is missing
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    sources: Sources,
    /// Print JSON, on one line
    #[arg(long)]
    json: bool,
}

/// Prints the report. What is broken makes it end as unreachable.
pub async fn run(args: DoctorArgs, config: Config, output: &Output) -> anyhow::Result<Exit> {
    let (config, desk) = args.sources.apply(config);
    let (config, desk) = (&*config, &desk);
    if !args.json {
        show_settings(config, output)?;
    }
    let checks = [
        ("redis", redis(config).await),
        ("results", results(config).await),
        ("memory", folder("MEMORY_DIR", &config.memory_folder())),
        ("state", state(config)),
        ("data", data(config)),
        ("vendors", vendors(config, desk)),
        ("cache", cache(config)),
        ("models", models(desk).await),
        ("gpu", tokio::task::spawn_blocking(gpu).await?),
    ];
    if args.json {
        output.json(&json!({ "settings": values(config)?, "checks": told(&checks) })).map_err(CliError::from)?;
    } else {
        for (name, verdict) in &checks {
            output.line(format_args!("  {name:<8} {verdict}")).map_err(CliError::from)?;
        }
    }
    let broken = checks.iter().any(|(_, verdict)| matches!(verdict, Verdict::Broken(_)));
    Ok(if broken { Exit::Unreachable } else { Exit::Done })
}

/// The settings by their names, secrets masked.
fn values(config: &Config) -> serde_json::Result<Map<String, Value>> {
    let mut values = serde_json::to_value(config)?;
    let value = |setting: Setting| {
        let value = values[setting.name.to_lowercase()].take();
        (setting.name, value)
    };
    Ok(settings().into_iter().map(value).collect())
}

/// The checks by their names.
fn told(checks: &[(&str, Verdict)]) -> Map<String, Value> {
    let told = |(name, verdict): &(&str, Verdict)| {
        ((*name).to_owned(), json!({ "verdict": verdict.name(), "text": verdict.text() }))
    };
    checks.iter().map(told).collect()
}

/// What is known at once, before the checks take their time.
fn show_settings(config: &Config, output: &Output) -> anyhow::Result<()> {
    let lines = setting_lines(config)?.into_iter().map(|line| format!("  {line}"));
    for line in ["Settings".into()].into_iter().chain(lines).chain(["\nChecks".into()]) {
        output.line(line).map_err(CliError::from)?;
    }
    Ok(())
}

/// Each setting with its value, and whether that is the default.
fn setting_lines(config: &Config) -> serde_json::Result<Vec<String>> {
    let values = values(config)?;
    let width = settings().iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    let line = |setting: Setting| {
        let value = match &values[&setting.name] {
            Value::Null => "unset".into(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let origin = if setting.default.as_deref().unwrap_or("unset") == value { "" } else { "  (set)" };
        format!("{:<width$}  {value}{origin}", setting.name)
    };
    Ok(settings().into_iter().map(line).collect())
}

async fn redis(config: &Config) -> Verdict {
    let queue = match service::redis_queue(config) {
        Ok(queue) => queue,
        Err(error) => return Verdict::Broken(format!("{error:#}")),
    };
    match queue.probe().await {
        Ok(()) => Verdict::Fine(format!("{} answers and takes writes", config.redis_url)),
        Err(error) => Verdict::Broken(format!(
            "{}: {error}; start Redis or set REDIS_URL (serve and analyze need no Redis)",
            config.redis_url
        )),
    }
}

async fn results(config: &Config) -> Verdict {
    let check = async { Results::new(config)?.check().await };
    match check.await {
        Ok(answer) => Verdict::Fine(answer),
        Err(error) => Verdict::Broken(error.to_string()),
    }
}

/// Whether a folder can be made and written to.
fn folder(setting: &str, path: &Path) -> Verdict {
    match std::fs::create_dir_all(path).and_then(|()| tempfile::tempfile_in(path)) {
        Ok(_) => Verdict::Fine(format!("{} is writable", path.display())),
        Err(error) => Verdict::Broken(format!(
            "can't write to {}: {error}; set {setting} to a folder that can be",
            path.display()
        )),
    }
}

/// The API and workers around a Redis never write there, and in their images it can't be.
fn state(config: &Config) -> Verdict {
    match folder("STATE_DIR", &config.state_dir) {
        Verdict::Broken(reason) => Verdict::Note(format!("{reason} (only serve and analyze use it)")),
        fine => fine,
    }
}

fn data(config: &Config) -> Verdict {
    match &config.data_dir {
        None => Verdict::Note("no DATA_DIR, so no bars of your own".into()),
        Some(path) => match std::fs::read_dir(path) {
            Ok(entries) => {
                let is_csv =
                    |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
                let count = entries.flatten().filter(is_csv).count();
                Verdict::Fine(format!("{} has {count} CSV files", path.display()))
            }
            Err(error) => Verdict::Broken(format!("can't read DATA_DIR {}: {error}", path.display())),
        },
    }
}

/// Who is asked for what, and what it would take to ask more. Nobody is asked here: that would count against limits.
fn vendors(config: &Config, desk: &Desk) -> Verdict {
    let asked = match desk.vendors() {
        Ok(asked) => asked,
        Err(error) => return Verdict::Broken(error.to_string()),
    };
    let keys = [
        ("CONTACT_EMAIL", config.contact_email.is_none()),
        ("FRED_API_KEY", config.fred_api_key.is_none()),
        ("ALPHA_VANTAGE_API_KEY", config.alpha_vantage_api_key.is_none()),
        ("TIINGO_API_KEY", config.tiingo_api_key.is_none()),
    ];
    let missing: Vec<_> = keys.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect();
    if missing.is_empty() {
        Verdict::Fine(asked)
    } else {
        Verdict::Note(format!("{asked}; set {} for more", missing.join(", ")))
    }
}

fn cache(config: &Config) -> Verdict {
    match &config.cache_dir {
        None => Verdict::Note("no CACHE_DIR, so vendors are asked the same again and again".into()),
        Some(path) => folder("CACHE_DIR", path),
    }
}

async fn models(desk: &Desk) -> Verdict {
    match desk.check_models().await {
        Ok(answer) => Verdict::Fine(answer),
        Err(error) => Verdict::Broken(error.to_string()),
    }
}

fn gpu() -> Verdict {
    match Gpus::open().and_then(|gpus| gpus.read()) {
        Err(reason) => Verdict::Note(reason.to_string()),
        Ok(gpus) => Verdict::Fine(gpus.iter().map(gpu_line).collect::<Vec<_>>().join("; ")),
    }
}

fn gpu_line(gpu: &Gpu) -> String {
    let mut facts = vec![format!("{} ({})", gpu.name, gpu.uuid)];
    if let (Some(used), Some(total)) = (gpu.memory_used, gpu.memory_total) {
        facts.push(format!("{} of {} MB used", used / 1_000_000, total / 1_000_000));
    }
    facts.extend(gpu.utilization.map(|percent| format!("{percent} % busy")));
    facts.push(format!("driver {}", gpu.driver_version));
    facts.extend(gpu.cuda_version.as_ref().map(|version| format!("CUDA {version}")));
    facts.join(", ")
}
