//! What the system gives: buffers, offload, descriptors, cores, the clock.

use std::fs;
use std::num::NonZero;
use std::process::Command;

use super::Finding;
use crate::config::Config;
use crate::server::shards;

/// Descriptors beside those of clients: sockets of shards and HTTP, files, epoll.
const OWN_DESCRIPTORS: u64 = 100;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let media = &config.settings.media;
    vec![
        buffer("rmem_max", "media.receive_buffer", media.receive_buffer.0),
        buffer("wmem_max", "media.send_buffer", media.send_buffer.0),
        offload(),
        descriptors(
            config.settings.limits.connections as u64,
            media.tcp_port > 0,
        ),
        cores(shards(media.shards)),
        clock(),
    ]
}

fn buffer(limit: &str, key: &str, wanted: u64) -> Finding {
    let path = format!("/proc/sys/net/core/{limit}");
    let most = fs::read_to_string(path).ok();
    match most.and_then(|text| text.trim().parse::<u64>().ok()) {
        Some(most) if most < wanted => Finding::doubtful(
            format!("net.core.{limit} is {most}, and {key} asks for {wanted} bytes"),
            format!("sysctl -w net.core.{limit}={wanted}, or bursts are lost before they are read"),
        ),
        Some(_) => Finding::well(format!("net.core.{limit} allows {key}")),
        None => Finding::doubtful(
            format!("net.core.{limit} cannot be read"),
            "check on the host that it allows what the configuration asks for",
        ),
    }
}

fn offload() -> Finding {
    let remedy = "use a kernel of 5.0 or later: every packet costs a system call of its own";
    match plenum_net::segmentation() {
        Ok((send, receive)) if send > 1 && receive > 1 => Finding::well(format!(
            "UDP offload: {send} datagrams leave and {receive} arrive in one call"
        )),
        Ok(_) => Finding::doubtful("no UDP segmentation offload", remedy),
        Err(error) => Finding::doubtful(format!("UDP offload is not known: {error}"), remedy),
    }
}

/// A client has a WebSocket and, where UDP does not work, a TCP connection for media.
fn descriptors(clients: u64, tcp: bool) -> Finding {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let most = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    let needed = clients * (1 + u64::from(tcp)) + OWN_DESCRIPTORS;
    match most {
        Some(most) if most < needed => Finding::doubtful(
            format!("{most} open files are allowed, and limits.connections is {clients}"),
            format!("ulimit -n {needed}, or LimitNOFILE={needed} in the unit"),
        ),
        _ => Finding::well(format!("open files allow {clients} clients")),
    }
}

fn cores(shards: u16) -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    if usize::from(shards) > cores {
        return Finding::doubtful(
            format!("{shards} shards share {cores} cores"),
            "set media.shards to the number of cores",
        );
    }
    Finding::well(format!("{shards} shards on {cores} cores"))
}

/// Tokens are valid for a time.
fn clock() -> Finding {
    let told = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output();
    let told = told.ok().filter(|output| output.status.success());
    match told.as_ref().map(|output| output.stdout.trim_ascii()) {
        Some(b"yes") => Finding::well("the clock is synchronised"),
        Some(_) => Finding::doubtful(
            "the clock is not synchronised",
            "enable systemd-timesyncd or chrony: tokens expire by it",
        ),
        None => Finding::doubtful(
            "nobody tells whether the clock is synchronised",
            "check it: tokens expire by it",
        ),
    }
}
