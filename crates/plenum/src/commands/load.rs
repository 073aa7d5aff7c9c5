//! `plenum load`

use anyhow::{Result, bail};
use plenum_loadgen::Args;

use super::print;
use crate::config::Settings;
use crate::logging;

/// The clients' WebRTC stack tells of every state of every connection; only the run is of
/// interest.
const FILTER: &str = "error,plenum_loadgen=info";

/// Runs the load benchmark and prints its report; progress goes to the log. Fails if more is
/// lost than is allowed.
pub(crate) fn run(args: Args) -> Result<()> {
    let mut settings = Settings::default();
    FILTER.clone_into(&mut settings.log.filter);
    logging::start(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let allowed = args.fail_loss;
    let report = runtime.block_on(plenum_loadgen::run(args))?;
    print(&report.to_string())?;
    match allowed {
        Some(allowed) if report.loss_ratio > allowed => bail!(
            "{:.3}% of the packets were lost, more than the {:.3}% of --fail-loss",
            report.loss_ratio * 100.0,
            allowed * 100.0
        ),
        Some(_) | None => Ok(()),
    }
}
