//! The HTTP listeners and the operator's endpoints: health and metrics.

mod tls;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Control, Handle};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::candidates::supported;
use crate::config::{Config, Origin};
use crate::metrics::CONTENT_TYPE;
use crate::server::Server;

pub(crate) use tls::{Identity, Tls};

/// How long a client may take for the TLS handshake, and again until its first request is there.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// How long the head of a further request may take, the pause before it included.
const NEXT_REQUEST: Duration = Duration::from_secs(60);

/// Opens the configured listeners; at least one.
pub(crate) async fn listen(config: &Config) -> Result<Vec<TcpListener>> {
    let http = &config.settings.http;
    // `--dev` wants both loopback addresses but takes what the machine has.
    let optional = *config.origin("http.bind") == Origin::Dev;
    let mut listeners = Vec::new();
    let mut port = http.port;
    for address in http.bind.iter().copied().map(supported) {
        match TcpListener::bind((address, port)).await {
            Ok(listener) => {
                // Port 0 is chosen by the system once, for all addresses.
                port = listener.local_addr()?.port();
                listeners.push(listener);
            }
            Err(error) if optional && is_missing(&error) => {
                tracing::debug!(%address, "this machine has no such address");
            }
            Err(error) => return Err(explain(error, address, port)),
        }
    }
    if listeners.is_empty() {
        bail!("there is no address to listen on; set http.bind");
    }
    Ok(listeners)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

fn explain(error: io::Error, address: IpAddr, port: u16) -> anyhow::Error {
    let address = SocketAddr::new(address, port);
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "TCP port {port} is already in use (address {address}); end the other program, or \
             choose another port with --http-port, PLENUM_HTTP__PORT or the key http.port"
        ),
        _ => anyhow::Error::new(error).context(format!(
            "cannot listen on {address}; check http.bind and http.port"
        )),
    }
}

/// Serves `app` on all `listeners`, with TLS if there is a certificate, until `control` says to
/// stop, and then until the open connections have ended.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    app: Router,
    tls: Option<Tls>,
    control: Control,
) -> Result<()> {
    let mut tasks = JoinSet::new();
    for listener in listeners {
        let service = app
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        // Signaling messages are small and urgent.
        let mut server = axum_server::Server::<SocketAddr>::from_listener(listener)
            .acceptor(NoDelayAcceptor::new())
            .handle(Handle::with_control(control.clone()))
            .first_request_timeout(FIRST_REQUEST);
        let http1 = &mut server.http_builder().http1();
        http1.header_read_timeout(NEXT_REQUEST);
        match &tls {
            None => tasks.spawn(server.serve(service)),
            Some(tls) => {
                let rustls = RustlsAcceptor::new(tls.rustls()).handshake_timeout(FIRST_REQUEST);
                let server = server.map(|plain| rustls.acceptor(plain));
                tasks.spawn(server.serve(service))
            }
        };
    }
    while let Some(ended) = tasks.join_next().await {
        ended.context("an HTTP task panicked")??;
    }
    Ok(())
}

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn operator_routes(server: Arc<Server>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(server)
}

async fn healthz(State(server): State<Arc<Server>>) -> Response {
    verdict(server.health().failure())
}

async fn readyz(State(server): State<Arc<Server>>) -> Response {
    verdict(server.unready())
}

fn verdict(problem: Option<&'static str>) -> Response {
    problem.map_or_else(
        || "ok\n".into_response(),
        |problem| (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
    )
}

async fn metrics(State(server): State<Arc<Server>>) -> Response {
    match server.metrics().await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
