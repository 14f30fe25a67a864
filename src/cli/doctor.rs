//! `doctor`: every setting, and whether what they name is there; one line each, with the mend.

use std::{fmt, path::Path, sync::Arc};

use serde_json::Value;

use super::{exit::Exit, service};
use crate::{
    config::{Config, Setting, settings},
    jobs::Gpu,
    results::Results,
    worker::{Desk, gpu::Gpus},
};

/// How a check went.
enum Verdict {
    Fine(String),
    /// Nothing is wrong, but a person may want to know.
    Note(String),
    Broken(String),
}

/// Prints the report. What is broken makes it end as unreachable.
pub async fn run(config: Arc<Config>, desk: &Desk) -> anyhow::Result<Exit> {
    println!("Settings");
    for line in setting_lines(&config)? {
        println!("  {line}");
    }
    println!("\nChecks");
    let checks = [
        ("redis", redis(&config).await),
        ("results", results(&config).await),
        ("memory", folder("MEMORY_DIR", &config.memory_folder())),
        ("state", folder("STATE_DIR", &config.state_dir)),
        ("data", data(&config)),
        ("vendors", vendors(&config, desk)),
        ("cache", cache(&config)),
        ("models", models(desk).await),
        ("gpu", tokio::task::spawn_blocking(gpu).await?),
    ];
    for (name, verdict) in &checks {
        println!("  {name:<8} {verdict}");
    }
    let broken = checks.iter().any(|(_, verdict)| matches!(verdict, Verdict::Broken(_)));
    Ok(if broken { Exit::Unreachable } else { Exit::Done })
}

/// Each setting with its value, and whether that is the default.
fn setting_lines(config: &Config) -> serde_json::Result<Vec<String>> {
    let values = serde_json::to_value(config)?;
    let width = settings().iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    let line = |setting: Setting| {
        let value = match &values[setting.name.to_lowercase()] {
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
    facts.push(gpu.utilization.map_or_else(|| "split by MIG".into(), |percent| format!("{percent} % busy")));
    facts.push(format!("driver {}, CUDA {}", gpu.driver_version, gpu.cuda_version));
    facts.join(", ")
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fine(text) => write!(f, "ok      {text}"),
            Self::Note(text) => write!(f, "note    {text}"),
            Self::Broken(text) => write!(f, "BROKEN  {text}"),
        }
    }
}
