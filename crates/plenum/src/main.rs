//! Plenum's binary: command line, configuration, the wiring of threads and tasks, metrics,
//! shutdown. What a conference is, is in the library crates.
//!
//! Reading order: `cli`, `config`, `serve`, and what `serve` uses.

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "the binary owns the clock, the threads and the tasks"
)]

mod candidates;
mod cli;
mod commands;
mod config;
mod doctor;
mod drain;
mod health;
mod http;
mod logging;
mod media_plane;
mod metrics;
mod panics;
mod rate_limit;
mod reload;
mod request_id;
mod serve;
mod server;
mod shutdown;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().into_command() {
        Command::Serve(args) => serve::run(&args),
        Command::Token(args) => commands::token::run(&args),
        Command::Config(args) => commands::config::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Load(args) => commands::load::run(*args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// The environment variables that are Unicode; others cannot be ours.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
