//! `plenum config`

use anyhow::Result;

use super::print;
use crate::cli::ConfigArgs;
use crate::config::{default_file, effective};

/// Prints the default or the effective configuration.
pub(crate) fn run(args: &ConfigArgs) -> Result<()> {
    let text = if args.default {
        default_file()
    } else {
        let environment = crate::environment();
        effective(&args.serve.sources(environment).load()?)
    };
    Ok(print(&text)?)
}
