//! What the unit tests share.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// `ms` milliseconds after some origin that all tests share.
#[expect(
    clippy::disallowed_methods,
    reason = "tests need some origin; only differences count"
)]
pub(crate) fn at(ms: u64) -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(|| Instant::now() + Duration::from_secs(60)) + Duration::from_millis(ms)
}
