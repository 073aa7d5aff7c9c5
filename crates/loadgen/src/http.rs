//! One HTTP request over a connection of its own: what WHIP, WHEP and `/metrics` take. No pool
//! and no TLS; time, size and redirects are bounded.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, LOCATION};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;
use url::{Position, Url};

/// A server that takes longer for one request counts as down.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a response; a metrics page of a large server is a tenth of that.
const BODY_LIMIT: usize = 4 << 20;
/// Redirects followed; more is a loop.
const REDIRECTS: usize = 5;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// Whose answer it is, after redirects.
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    /// A header's text, if it is there and is text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Sends the request and reads the response, following redirects that keep the method.
///
/// # Errors
/// If the server cannot be reached, takes too long, does not speak HTTP, or redirects in a loop.
pub(crate) async fn send(mut request: Request) -> Result<Response> {
    for _ in 0..=REDIRECTS {
        let response = tokio::time::timeout(TIMEOUT, send_once(&request))
            .await
            .with_context(|| {
                let seconds = TIMEOUT.as_secs();
                format!("{} did not answer within {seconds} s", request.url)
            })??;
        match response.status {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                let to = response.header(&LOCATION).with_context(|| {
                    format!("{} redirects without saying where to", request.url)
                })?;
                request.url = request
                    .url
                    .join(to)
                    .with_context(|| format!("{} redirects to '{to}', no URL", request.url))?;
            }
            _ => return Ok(response),
        }
    }
    bail!("{} redirects more than {REDIRECTS} times", request.url)
}

async fn send_once(request: &Request) -> Result<Response> {
    let url = &request.url;
    if url.scheme() != "http" {
        bail!("{url}: only http:// can be driven; measure the server without TLS");
    }
    let host = url
        .host_str()
        .with_context(|| format!("{url} names no host"))?;
    // The brackets of an IPv6 address belong to the URL alone.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((name, port))
        .await
        .with_context(|| format!("cannot connect to {host}:{port}: start the server there"))?;
    // One small request and its response: waiting for more to send only delays them.
    stream.set_nodelay(true)?;
    let no_http = || format!("{host}:{port} does not answer in HTTP");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .with_context(no_http)?;
    // Ends by itself when the response has been read; an error shows up at the response too.
    let connection = tokio::spawn(connection);
    let response = sender.send_request(hyper_request(request)?);
    let response = response.await.with_context(no_http)?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    connection.abort();
    let body = body
        .map_err(|error| anyhow::anyhow!(error))
        .with_context(|| {
            format!("the response of {url} broke off or is larger than {BODY_LIMIT} bytes")
        })?;
    Ok(Response {
        url: url.clone(),
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
    })
}

fn hyper_request(request: &Request) -> Result<hyper::Request<Full<Bytes>>> {
    let url = &request.url;
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let mut built = hyper::Request::builder()
        .method(&request.method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, authority)
        .header(CONNECTION, "close");
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    let body = Full::new(Bytes::from(request.body.clone()));
    built
        .body(body)
        .with_context(|| format!("no request can be made for {url}"))
}

#[cfg(test)]
pub(crate) mod tests;
