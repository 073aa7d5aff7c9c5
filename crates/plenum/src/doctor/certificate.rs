//! The certificate of the HTTP port, if there is one.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Finding;
use crate::config::Http;
use crate::http::Identity;

/// Renewal is late when fewer days are left; certificates of 90 days are renewed 30 days before.
const DAYS_LEFT_MIN: i64 = 14;
const DAY_S: i64 = 24 * 3_600;

pub(super) fn check(http: &Http) -> Option<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    match runtime.block_on(Identity::read(http)) {
        Ok(None) => None,
        Ok(Some(identity)) => Some(lifetime(identity.expires_s - now_s())),
        Err(error) => Some(Finding::ill("HTTPS cannot be served", format!("{error:#}"))),
    }
}

fn lifetime(left_s: i64) -> Finding {
    let days = left_s.div_euclid(DAY_S);
    let remedy = "renew it, then send SIGHUP: a running server takes it up without a restart";
    match days {
        ..0 => Finding::ill("the certificate of the HTTP port has expired", remedy),
        0..DAYS_LEFT_MIN => Finding::doubtful(
            format!("the certificate of the HTTP port ends in {days} days"),
            remedy,
        ),
        _ => Finding::well(format!(
            "HTTPS: key and certificate fit together, {days} days are left"
        )),
    }
}

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Health;

    #[test]
    fn a_certificate_near_its_end_is_doubtful_and_one_after_it_is_ill() {
        assert_eq!(lifetime(-1).health, Health::Ill);
        assert_eq!(lifetime(13 * DAY_S).health, Health::Doubtful);
        assert_eq!(lifetime(14 * DAY_S).health, Health::Well);
    }
}
