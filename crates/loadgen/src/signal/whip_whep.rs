//! WHIP (RFC 9725) to publish and WHEP (draft-ietf-wish-whep) to subscribe: one POST of the offer
//! brings the answer and the address of the session, one DELETE ends it. All candidates are in
//! the descriptions, so nothing is trickled.
//!
//! | file | one idea |
//! |---|---|
//! | `endpoints` | where to POST, and with which token |
//! | `refusal` | what a status means to whoever runs the benchmark |

mod endpoints;
mod refusal;

use super::{JoinRequest, Remote, Role, Target};
use crate::client::sdp::Description;
use crate::http::{Request, Response, send};
use anyhow::{Context, Result, bail};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use hyper::{Method, StatusCode};
use refusal::refusal;
use std::time::Duration;
use url::Url;

pub use endpoints::WhipWhepFlags;

const SDP: &str = "application/sdp";
/// How often a POST that the server asks to repeat is sent at most.
const ATTEMPTS: usize = 6;
/// The longest wait between two of them: a server that is busy for longer is too slow to
/// measure.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long the server may take to say goodbye.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Whip,
    Whep,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Whip => "WHIP",
            Self::Whep => "WHEP",
        }
    }

    /// The flag that says where its endpoint is.
    fn flag(self) -> &'static str {
        match self {
            Self::Whip => "--whip-url",
            Self::Whep => "--whep-url",
        }
    }
}

/// One client's session.
#[derive(Debug)]
pub(crate) struct WhipWhep {
    /// What DELETE ends.
    session: Url,
    token: String,
}

impl WhipWhep {
    /// Exchanges the offer for an answer.
    pub(super) async fn join(target: &Target, request: JoinRequest) -> Result<(Self, Remote)> {
        let direction = match request.role {
            Role::Publisher => Direction::Whip,
            Role::Subscriber => Direction::Whep,
            Role::Participant => bail!(
                "WHIP and WHEP have a connection for each direction; a scenario in which clients \
                 do both over one needs the server's own protocol"
            ),
        };
        let token = target.whip_whep.token(target, &request)?;
        let endpoint = target
            .whip_whep
            .endpoint(direction, &target.url, &request)?;
        let response = post(direction, &endpoint, &token, request.offer).await?;
        let session = session(direction, &response)?;
        let answer = answer(direction, response)?;
        Ok((Self { session, token }, Remote::Answer(answer)))
    }

    /// Ends the session, if the server takes it. It may have gone first; then there is nothing to
    /// end.
    pub(super) async fn leave(self) {
        let request = Request {
            method: Method::DELETE,
            headers: authorization(&self.token),
            url: self.session,
            body: String::new(),
        };
        let url = request.url.clone();
        match tokio::time::timeout(LEAVE_TIMEOUT, send(request)).await {
            Ok(Ok(response)) if response.status.is_success() => {}
            Ok(Ok(response)) => tracing::debug!(%url, status = %response.status, "DELETE refused"),
            Ok(Err(error)) => tracing::debug!(%url, "DELETE failed: {error:#}"),
            Err(_) => tracing::debug!(%url, "DELETE took too long"),
        }
    }
}

/// POSTs the offer until the server neither asks to come again nor is asked too often.
async fn post(
    direction: Direction,
    endpoint: &Url,
    token: &str,
    offer: String,
) -> Result<Response> {
    let mut headers = authorization(token);
    headers.push((CONTENT_TYPE, SDP.to_owned()));
    headers.push((ACCEPT, SDP.to_owned()));
    let request = Request {
        method: Method::POST,
        url: endpoint.clone(),
        headers,
        body: offer,
    };
    for attempt in 1.. {
        let response = send(request.clone()).await.with_context(|| {
            let (name, flag) = (direction.name(), direction.flag());
            format!("no {name} endpoint can be reached: check --url and {flag}")
        })?;
        if response.status == StatusCode::CREATED {
            return Ok(response);
        }
        match wait(&response) {
            Some(wait) if attempt < ATTEMPTS => tokio::time::sleep(wait).await,
            _ => bail!(refusal(direction, &response, attempt)),
        }
    }
    unreachable!("the last attempt returns or fails")
}

/// How long to wait before the same POST may succeed; `None` if it will not.
fn wait(response: &Response) -> Option<Duration> {
    match response.status {
        StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            let seconds = response.header(&RETRY_AFTER)?.trim().parse().ok()?;
            Some(Duration::from_secs(seconds).min(WAIT_MAX))
        }
        _ => None,
    }
}

/// Where the session is, relative to the endpoint that answered.
fn session(direction: Direction, response: &Response) -> Result<Url> {
    let (name, url) = (direction.name(), &response.url);
    let Some(location) = response.header(&LOCATION) else {
        bail!(
            "{url} answered 201 without Location: the session could not be ended; this is no \
             {name} endpoint as specified"
        );
    };
    let joined = url.join(location);
    joined.with_context(|| format!("{url} answered with Location '{location}', which is no URL"))
}

/// The answer, if it is one.
fn answer(direction: Direction, response: Response) -> Result<String> {
    let url = &response.url;
    let found = response.header(&CONTENT_TYPE).unwrap_or("nothing");
    let essence = found.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(SDP) {
        let name = direction.name();
        bail!("{url} answered 201 with {found} in place of {SDP}: this is no {name} endpoint");
    }
    Description::read(&response.body).with_context(|| {
        format!("{url} answered with a session description that cannot be used")
    })?;
    Ok(response.body)
}

fn authorization(token: &str) -> Vec<(HeaderName, String)> {
    match token {
        "" => Vec::new(),
        token => vec![(AUTHORIZATION, format!("Bearer {token}"))],
    }
}

#[cfg(test)]
mod tests;
