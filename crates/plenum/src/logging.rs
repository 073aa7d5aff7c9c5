//! Log lines on standard error.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::{LogFormat, Settings};

/// Protocol libraries warn of what any client may send: not unless asked for.
const QUIET: &str = "rtc_dtls=error,rtc_sctp=error,rtc_stun=error,rtc_datachannel=error";

/// What is logged; it may change.
pub(crate) struct Filter(reload::Handle<EnvFilter, Registry>);

impl Filter {
    /// From now on the filter is that of `settings`.
    pub(crate) fn set(&self, settings: &Settings) -> Result<()> {
        self.0.reload(filter(settings)?)?;
        Ok(())
    }
}

/// Starts logging.
pub(crate) fn start(settings: &Settings) -> Result<Filter> {
    let (filter, handle) = reload::Layer::new(filter(settings)?);
    let lines = fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let lines = match settings.log.format {
        LogFormat::Human => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
    Ok(Filter(handle))
}

fn filter(settings: &Settings) -> Result<EnvFilter> {
    EnvFilter::try_new(format!("{QUIET},{}", settings.log.filter))
        .with_context(|| format!("log.filter {:?} is not a filter", settings.log.filter))
}
