//! Log lines on standard error.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// Protocol libraries warn of what any client may send: not unless asked for.
const QUIET: &str = "rtc_dtls=error,rtc_sctp=error,rtc_stun=error,rtc_datachannel=error";

/// Starts logging.
pub(crate) fn start(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log.filter))
        .with_context(|| format!("log.filter {:?} is not a filter", settings.log.filter))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match settings.log.format {
        LogFormat::Human => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
