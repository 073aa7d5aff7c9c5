//! `plenum serve`: from start to shutdown, in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum_server::Control;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::cli::ServeArgs;
use crate::commands::print;
use crate::config::{Config, Sources};
use crate::drain::until_ended;
use crate::http::{Identity, Tls};
use crate::logging::Filter;
use crate::rate_limit::limited;
use crate::reload::Reload;
use crate::request_id::identified;
use crate::server::Server;
use crate::shutdown::Signals;
use crate::{environment, http, logging, panics};

/// Threads for signaling, HTTP and metrics. Media has its own.
const CONTROL_THREADS: usize = 2;

/// How long HTTP connections may linger after the clients have been told.
const HTTP_LINGER: Duration = Duration::from_secs(1);

/// Runs the server until a signal ends it.
pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    let sources = args.sources(environment());
    let config = sources.load()?;
    config.check_keys()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()?;
    let (filter, logging) = logging::start(&config.settings, runtime.handle())?;
    panics::watch();
    if config.exposes_dev_key() {
        tracing::warn!(
            "the key of --dev is known to everybody, and http.bind lets other machines connect: \
             anybody there can join any room; configure [keys] and leave --dev out"
        );
    }
    let result = runtime.block_on(serve(config, sources, filter));
    // The last spans are on their way before the runtime ends.
    drop(logging);
    // Whatever is still open has had its time.
    runtime.shutdown_background();
    result
}

async fn serve(config: Config, sources: Sources, filter: Filter) -> Result<()> {
    let mut signals = Signals::listen()?;
    let reload = Reload::listen(sources, filter)?;
    let identity = Identity::read(&config.settings.http).await?;
    let tls = identity.as_ref().map(Tls::new);
    let listeners = http::listen(&config).await?;
    let server = Arc::new(Server::start(&config, tls.clone())?);
    let rate = config.settings.http.requests_per_second;
    let app = http::operator_routes(Arc::clone(&server))
        .merge(limited(server.signaling().router(), rate));
    let app = identified(app);
    announce(&config, &listeners)?;

    let control = Control::new();
    let mut serving = tokio::spawn(http::serve(listeners, app, tls.clone(), control.clone()));
    let config = reload.start(config, Arc::clone(&server), tls);
    let window = || config.borrow().settings.time.drain;
    tokio::select! {
        name = until_ended(&mut signals, server.signaling(), window) => {
            tracing::info!("{name}: shutting down");
        }
        ended = &mut serving => return ended?,
    }
    signals.exit_at_next();

    let deadline = config.borrow().settings.time.shutdown;
    server.close(deadline).await;
    control.graceful_shutdown(None);
    if timeout(HTTP_LINGER, serving).await.is_err() {
        tracing::warn!("HTTP connections were still open and are cut");
    }
    tokio::task::spawn_blocking(move || server.stop_media()).await?;
    tracing::info!("shut down");
    Ok(())
}

/// Tells where the server can be reached.
fn announce(config: &Config, listeners: &[TcpListener]) -> Result<()> {
    let scheme = if config.settings.http.tls_certificate.is_some() {
        "https"
    } else {
        "http"
    };
    for listener in listeners {
        tracing::info!(address = %listener.local_addr()?, scheme, "HTTP");
    }
    if config.dev {
        let port = listeners[0].local_addr()?.port();
        print(&format!(
            "\n  Plenum is ready. Open {scheme}://localhost:{port}\n\n"
        ))?;
    }
    Ok(())
}
