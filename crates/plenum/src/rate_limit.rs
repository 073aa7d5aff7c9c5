//! How many requests one address may make.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// What may come at once after a pause, in seconds of the rate.
const BURST_S: u32 = 4;
/// Addresses remembered before those that have been quiet are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Requests by address.
struct Limiter {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    per_second: u32,
}

/// `app` with at most `per_second` requests a second from one address; 0 does not limit.
pub(crate) fn limited(app: Router, per_second: u32) -> Router {
    let Some(rate) = NonZero::new(per_second) else {
        return app;
    };
    let burst = rate.saturating_mul(NonZero::new(BURST_S).unwrap_or(rate));
    let limiter = Arc::new(Limiter {
        limiter: RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)),
        per_second,
    });
    app.layer(from_fn_with_state(limiter, check))
}

async fn check(
    State(limits): State<Arc<Limiter>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if limits.limiter.len() > ADDRESSES_MAX {
        limits.limiter.retain_recent();
    }
    match limits.limiter.check_key(&network(address.ip())) {
        Ok(()) => next.run(request).await,
        Err(until) => {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let rate = limits.per_second;
            let mut response = plenum_signaling::problem(
                StatusCode::TOO_MANY_REQUESTS,
                "tooManyRequests",
                &format!("Make at most {rate} requests a second."),
            );
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(RETRY_AFTER, seconds);
            response
        }
    }
}

/// Whoever has an IPv6 address has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
