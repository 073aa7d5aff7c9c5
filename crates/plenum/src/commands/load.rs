//! `plenum load`

use anyhow::{Result, bail};
use plenum_loadgen::Args;

use super::print;
use crate::config::Settings;
use crate::logging;

/// Only the run is of interest.
const FILTER: &str = "error,plenum_loadgen=info";

/// Runs the load benchmark, prints its report and writes the files that were asked for. Fails,
/// after that, if a threshold does not hold.
pub(crate) fn run(args: Args) -> Result<()> {
    let mut settings = Settings::default();
    FILTER.clone_into(&mut settings.log.filter);
    // One thread: media has threads of its own, and the other cores are the server's.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let _logging = logging::start(&settings, runtime.handle())?;
    let flags = args.report.clone();
    flags.try_files()?;
    let report = runtime.block_on(plenum_loadgen::run(args))?;
    print(&report.to_string())?;
    report.write(&flags)?;
    let failures = report.failures(&flags.thresholds());
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(())
}
