//! The options that say where models and data come from; of `serve` and `analyze`.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use crate::{
    config::Config,
    domain::{PriceVendors, Provider},
    worker::Desk,
};

/// Where models and data come from.
#[derive(Debug, Clone, Default, Args)]
pub struct Sources {
    /// Use no network and no language model: the rules model works on the bundled sample (AAPL, GOOG, IBM, MSFT, to
    /// 2013), or on the folder that --data names
    #[arg(long)]
    offline: bool,
    /// Take daily bars from this folder of {TICKER}.csv and from nowhere else
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Sources {
    /// The settings with these options in them, and the desk that works by them.
    pub fn apply(self, mut config: Config) -> (Arc<Config>, Desk) {
        if let Some(folder) = self.data {
            config.data_dir = Some(folder);
            config.price_vendors = Some(only("csv"));
        } else if self.offline && config.data_dir.is_none() {
            config.price_vendors = Some(only("sample"));
        }
        if !self.offline {
            let config = Arc::new(config);
            return (config.clone(), Desk::new(config));
        }
        config.llm_provider = Provider::Rules;
        config.deep_think_provider = None;
        config.quick_think_provider = None;
        config.deep_think_llm = None;
        config.quick_think_llm = None;
        config.llm_backend_url = None;
        let config = Arc::new(config);
        (config.clone(), Desk::offline(config))
    }
}

fn only(vendor: &str) -> PriceVendors {
    vendor.parse().expect("a vendor's name is a list of one")
}
