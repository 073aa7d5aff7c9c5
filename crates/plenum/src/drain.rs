//! What a signal begins: SIGTERM empties the server first, so that a new one can take its place
//! while calls go on.

use std::time::Duration;

use plenum_signaling::Signaling;
use tokio::time::{Instant, interval, sleep_until};

use crate::shutdown::{INTERRUPT, Signals};

/// How often it is looked whether anybody is left.
const LOOK: Duration = Duration::from_millis(100);

/// Waits until the server should shut down; the name of the signal. After SIGTERM clients have
/// `window`, as it is then, to move elsewhere; a second signal ends that, and so does whoever takes the drain back.
pub(crate) async fn until_ended(
    signals: &mut Signals,
    signaling: &Signaling,
    window: impl Fn() -> Duration,
) -> &'static str {
    loop {
        let name = signals.wait().await;
        let window = window();
        if name == INTERRUPT || window.is_zero() {
            return name;
        }
        tracing::info!("{name}: clients are told to move, within {window:?}");
        signaling.drain(window, None).await;
        tokio::select! {
            name = signals.wait() => return name,
            () = sleep_until(Instant::now() + window) => return name,
            is_empty = emptied(signaling) => if is_empty {
                return name;
            },
        }
        tracing::info!("draining was taken back");
    }
}

/// Whether nobody is left, or the drain was taken back.
async fn emptied(signaling: &Signaling) -> bool {
    let mut look = interval(LOOK);
    loop {
        look.tick().await;
        if !signaling.is_draining() {
            return false;
        }
        if signaling.stats().participants == 0 {
            return true;
        }
    }
}
