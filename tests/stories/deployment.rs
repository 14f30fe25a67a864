//! The files that an operator starts with agree with each other and with the program.

use std::{collections::BTreeMap, fs, path::Path};

use tradingagents::config;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The variables of `.env.example` with their defaults; each has a line above that says what it is.
fn explained() -> BTreeMap<String, String> {
    let text = read(".env.example");
    let mut found = BTreeMap::new();
    for (above, line) in text.lines().zip(text.lines().skip(1)) {
        let Some((name, default)) = line.strip_prefix('#').and_then(|line| line.split_once('=')) else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            continue;
        }
        assert!(above.starts_with("# ") && above.len() > 10, "{name} is not explained");
        assert_eq!(found.insert(name.to_owned(), default.to_owned()), None, "{name} is there twice");
    }
    found
}

/// The variables of a compose file with their defaults: `${NAME:-default}`.
fn used_by(file: &str) -> Vec<(String, String)> {
    let text = read(file);
    let uses = text.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0);
    uses.filter_map(|used| used.split_once(":-")).map(|(name, default)| (name.to_owned(), default.to_owned())).collect()
}

#[test]
fn every_setting_and_every_variable_of_the_stack_is_explained_with_its_default() {
    let mut explained = explained();
    for setting in config::settings() {
        let default = explained.remove(&setting.name).unwrap_or_else(|| panic!("{} is not explained", setting.name));
        assert_eq!(default, setting.default.unwrap_or_default(), "{}", setting.name);
    }
    let settings: Vec<_> = config::settings().into_iter().map(|setting| setting.name).collect();
    for file in ["compose.yaml", "compose.dev.yaml"] {
        for (name, default) in used_by(file) {
            // The stack's own value of a setting differs: in it, Ollama has another address.
            if !settings.contains(&name) {
                assert_eq!(explained.get(&name), Some(&default), "{name} in {file}");
            }
        }
    }
    let used: Vec<_> =
        ["compose.yaml", "compose.dev.yaml"].into_iter().flat_map(used_by).map(|(name, _)| name).collect();
    explained.retain(|name, _| !used.contains(name));
    assert_eq!(explained, BTreeMap::new(), "explained, but used nowhere");
}

#[test]
fn the_images_have_the_version_of_the_program() {
    let stack: BTreeMap<_, _> = used_by("compose.yaml").into_iter().collect();
    assert_eq!(stack["API_IMAGE"], concat!("tradingagents-api:", env!("CARGO_PKG_VERSION")));
    assert_eq!(stack["WORKER_IMAGE"], concat!("tradingagents-worker:", env!("CARGO_PKG_VERSION")));
}
