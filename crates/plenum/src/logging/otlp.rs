//! Spans to a collector: OTLP over HTTP with protobuf bodies, in the background and in batches.

use std::fmt;

use anyhow::{Context, Result, bail};
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a collector may take to answer. Longer holds spans back, which are dropped when too
/// many wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where OTLP over HTTP takes spans.
const PATH: &str = "/v1/traces";

/// The way to a collector.
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Sends to the collector at `url`, such as `http://localhost:4318`, on the runtime.
    pub(super) fn new(url: &str, runtime: &Handle) -> Result<Self> {
        if !url.starts_with("http://") {
            bail!(
                "log.otlp is {url:?}: give the address of a collector that takes OTLP over plain HTTP, \
                 such as \"http://localhost:4318\"; TLS is up to a collector beside the server"
            );
        }
        let client = OnRuntime {
            client: HyperClient::with_default_connector(PATIENCE, None),
            runtime: runtime.clone(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(client)
            .with_endpoint(format!("{}{PATH}", url.trim_end_matches('/')))
            .with_timeout(PATIENCE)
            .build()
            .with_context(|| format!("log.otlp is {url:?}, which is no address of a collector"))?;
        let resource = Resource::builder().with_service_name("plenum").build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// What makes the spans.
    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer("plenum")
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // What the collector does not take at the end is lost, as everything it did not take.
        let _ = self.0.shutdown_with_timeout(PATIENCE);
    }
}

/// The exporter has a thread of its own, where connections cannot be waited for.
#[derive(Clone)]
struct OnRuntime {
    client: HyperClient,
    runtime: Handle,
}

impl fmt::Debug for OnRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRuntime")
    }
}

#[async_trait::async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self
            .runtime
            .spawn(async move { client.send_bytes(request).await });
        sending.await?
    }
}
