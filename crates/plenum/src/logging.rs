//! Log lines on standard error, and spans to a collector.

mod otlp;

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use tokio::runtime::Handle;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::{LogFormat, Settings};
use otlp::Exporter;

/// Protocol libraries warn of what any client may send: not unless asked for. And what sends spans
/// must not make spans of that.
const QUIET: &str = "rtc_dtls=error,rtc_sctp=error,rtc_stun=error,rtc_datachannel=error,\
                     opentelemetry=error,opentelemetry_sdk=error,opentelemetry_otlp=error,hyper=error,\
                     hyper_util=error";

/// What is logged; it may change.
pub(crate) struct Filter(reload::Handle<EnvFilter, Registry>);

/// Logging goes on for as long as this is there.
pub(crate) struct Logging {
    _exporter: Option<Exporter>,
}

impl Filter {
    /// From now on the filter is that of `settings`.
    pub(crate) fn set(&self, settings: &Settings) -> Result<()> {
        self.0.reload(filter(settings)?)?;
        Ok(())
    }
}

/// Starts logging. Spans are sent on the runtime.
pub(crate) fn start(settings: &Settings, runtime: &Handle) -> Result<(Filter, Logging)> {
    let (filter, handle) = reload::Layer::new(filter(settings)?);
    let lines = fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let lines = match settings.log.format {
        LogFormat::Human => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let url = Some(&settings.log.otlp).filter(|url| !url.is_empty());
    let exporter = url.map(|url| Exporter::new(url, runtime)).transpose()?;
    let spans = exporter
        .as_ref()
        .map(|exporter| tracing_opentelemetry::layer().with_tracer(exporter.tracer()));
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(spans)
        .init();
    let logging = Logging {
        _exporter: exporter,
    };
    Ok((Filter(handle), logging))
}

fn filter(settings: &Settings) -> Result<EnvFilter> {
    EnvFilter::try_new(format!("{QUIET},{}", settings.log.filter))
        .with_context(|| format!("log.filter {:?} is not a filter", settings.log.filter))
}
