//! HTTPS on the HTTP port: a client that checks the certificate, its renewal, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

/// Certificate and key in a folder that goes with the value.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plenum-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Puts a new certificate for `localhost` there.
    fn make(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(self.certificate(), cert.pem()).unwrap();
        fs::write(self.key(), signing_key.serialize_pem()).unwrap();
        CertificateDer::from_pem_slice(cert.pem().as_bytes()).unwrap()
    }

    fn certificate(&self) -> PathBuf {
        self.0.join("chain.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }

    /// A server that uses them.
    fn command(&self) -> Command {
        let mut command = server::command(0, 0);
        command.env("PLENUM_HTTP__TLS_CERTIFICATE", self.certificate());
        command.env("PLENUM_HTTP__TLS_KEY", self.key());
        command
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a client that trusts only `certificate` is answered.
fn get(port: u16, certificate: &CertificateDer<'static>, path: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let mut stream = Stream::new(&mut tls, &mut socket);
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The lines that the server writes to its log from now on.
fn log(server: &mut server::Server) -> mpsc::Receiver<String> {
    let lines = BufReader::new(server.child.stderr.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "the log is read beside the test")]
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    told
}

fn wait_for(log: &mpsc::Receiver<String>, text: &str) {
    let patience = Duration::from_secs(10);
    while !log.recv_timeout(patience).unwrap().contains(text) {}
}

fn reload(server: &server::Server) {
    let id = server.child.id().to_string();
    let kill = Command::new("kill").args(["-HUP", &id]).status();
    assert!(kill.unwrap().success());
}

#[test]
fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let files = Files::new("https-renewal");
    let first = files.make();
    let mut server = server::run(files.command());
    let log = log(&mut server);
    let answer = get(server.port, &first, "/metrics").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let expiry = server::metric(&answer, "plenum_http_certificate_expiry_timestamp_seconds ");
    assert!(expiry > 1.7e9, "{expiry}");

    let second = files.make();
    assert!(get(server.port, &second, "/healthz").is_err(), "too early");
    reload(&server);
    wait_for(&log, "configuration reloaded");
    assert!(
        get(server.port, &second, "/healthz")
            .unwrap()
            .ends_with("ok\n")
    );
    assert!(get(server.port, &first, "/healthz").is_err(), "replaced");

    // A key of another certificate.
    let chain = fs::read(files.certificate()).unwrap();
    files.make();
    fs::write(files.certificate(), chain).unwrap();
    reload(&server);
    wait_for(
        &log,
        "http.tls_certificate and http.tls_key cannot be used together",
    );
    assert!(
        get(server.port, &second, "/healthz")
            .unwrap()
            .ends_with("ok\n")
    );
}

#[test]
fn plain_http_is_not_answered_on_an_https_port() {
    let files = Files::new("https-plain");
    files.make();
    let server = server::run(files.command());
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // Ended by an alert of TLS, or cut.
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn certificates_that_cannot_be_used_are_named_with_the_key_of_the_configuration() {
    let files = Files::new("https-errors");
    files.make();
    fs::write(files.0.join("empty.pem"), "").unwrap();
    let empty = files.0.join("empty.pem");
    let missing = files.0.join("missing.pem");
    for (certificate, key, expected) in [
        (
            files.certificate(),
            missing.clone(),
            "http.tls_key: cannot read",
        ),
        (missing, files.key(), "http.tls_certificate: cannot read"),
        (empty.clone(), files.key(), "holds no certificate in PEM"),
        (files.certificate(), empty, "cannot be used together"),
        (
            files.certificate(),
            PathBuf::new(),
            "http.tls_certificate needs http.tls_key",
        ),
        (
            PathBuf::new(),
            files.key(),
            "http.tls_key needs http.tls_certificate",
        ),
    ] {
        let mut command = server::command(0, 0);
        command.env("PLENUM_HTTP__TLS_CERTIFICATE", certificate);
        command.env("PLENUM_HTTP__TLS_KEY", key);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let server = server::start();
    let mut silent = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    silent.write_all(b"GET / HT").unwrap();
    silent
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // The server closes; a timeout of ours would be an error.
    assert_eq!(silent.read(&mut [0; 64]).unwrap(), 0);
}
