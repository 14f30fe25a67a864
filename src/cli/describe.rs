//! What the program says of itself: the OpenAPI document, the settings, shell completions and manual pages. None of it
//! depends on the settings, so none is read.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::Subcommand;
use clap_complete::Shell;

use super::{exit::CliError, output::Output};
use crate::{
    api,
    config::{self, Config},
};

/// A command that describes the program.
#[derive(Debug, Clone, Subcommand)]
pub enum Describe {
    /// Print the OpenAPI document
    Openapi,
    /// Print every setting as a page of Markdown: what it means, its default and what is allowed
    Settings,
    /// Print what completes this program's commands and options in a shell
    ///
    /// For bash, `source <(tradingagents completions bash)`; other shells want it in a file: zsh one named
    /// _tradingagents in a folder of $fpath, fish ~/.config/fish/completions/tradingagents.fish.
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual pages, one for each command, into a folder
    Man {
        /// The folder, such as ~/.local/share/man/man1; it is made if it is not there
        folder: PathBuf,
    },
}

impl Describe {
    /// Prints or writes it. `program` is the whole command line.
    pub fn run(self, mut program: clap::Command, output: &Output) -> anyhow::Result<()> {
        match self {
            Self::Openapi => {
                output
                    .line(serde_json::to_string_pretty(&api::openapi(&Config::default()))?)
                    .map_err(CliError::from)?;
            }
            Self::Settings => output.text(&config::page()).map_err(CliError::from)?,
            Self::Completions { shell } => {
                let (name, mut script) = (program.get_name().to_owned(), Vec::new());
                clap_complete::generate(shell, &mut program, name, &mut script);
                output.text(&String::from_utf8(script)?).map_err(CliError::from)?;
            }
            Self::Man { folder } => {
                let failed = || format!("can't write the manual pages to {}", folder.display());
                fs::create_dir_all(&folder).with_context(failed)?;
                clap_mangen::generate_to(program, &folder).with_context(failed)?;
            }
        }
        Ok(())
    }
}
