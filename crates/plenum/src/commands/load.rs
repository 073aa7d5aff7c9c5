//! `plenum load`

use anyhow::Result;
use plenum_loadgen::Args;

/// Runs the load benchmark; it reports by itself.
pub(crate) fn run(args: Args) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(plenum_loadgen::run(args))?;
    Ok(())
}
