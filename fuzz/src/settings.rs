//! Settings, a line each: NAME=VALUE. None panics, alone or together with the others.

use tradingagents::config::load;

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // A file would be whatever lies on this machine.
    let lines = text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.ends_with("_FILE"));
    let variables: Vec<(String, String)> = lines.map(|(name, value)| (name.into(), value.into())).take(20).collect();
    if let Err(error) = load(variables.clone()) {
        let told = error.to_string();
        assert!(!told.is_empty());
    }
}
