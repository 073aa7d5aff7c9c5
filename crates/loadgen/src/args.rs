//! The command line of `plenum load`.

use std::path::PathBuf;
use std::time::Duration;

/// Load a server with publishers and subscribers, and report what arrived.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Where the server's HTTP port is.
    #[arg(long, default_value = "http://localhost:7880")]
    pub url: String,
    /// Rooms; each gets its own publishers and subscribers.
    #[arg(long, default_value_t = 1)]
    pub rooms: usize,
    /// Publishers per room.
    #[arg(long, default_value_t = 1)]
    pub publishers: usize,
    /// Subscribers per room; each takes every publisher's streams.
    #[arg(long, default_value_t = 10)]
    pub subscribers: usize,
    /// Publish audio beside the video.
    #[arg(long)]
    pub audio: bool,
    /// Publish no video.
    #[arg(long, requires = "audio")]
    pub no_video: bool,
    /// How long media flows once everyone has joined, such as 30s or 2m.
    #[arg(long, default_value = "10s", value_parser = parse_duration)]
    pub duration: Duration,
    /// Joins per second.
    #[arg(long, default_value_t = 20)]
    pub ramp: u32,
    /// API key that signs the clients' tokens.
    #[arg(long, default_value = "devkey", env = "PLENUM_API_KEY")]
    pub key: String,
    /// Its secret.
    #[arg(
        long,
        default_value = "secret",
        env = "PLENUM_API_SECRET",
        hide_env_values = true
    )]
    pub secret: String,
    /// Write the report as JSON to this file.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Exit with an error if more than this share of packets is lost, such as 0.1%.
    #[arg(long, value_parser = parse_ratio)]
    pub fail_loss: Option<f64>,
}

/// Parses `250ms`, `30s`, `2m`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("'{text}' does not start with a number"))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err(format!("'{text}' needs a unit: ms, s or m")),
    }
}

/// Parses `0.1%` or `0.001`.
fn parse_ratio(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number, 0.01),
        None => (text, 1.0),
    };
    let ratio: f64 = number
        .parse()
        .map_err(|_| format!("'{text}' is no share, write 0.1%"))?;
    let ratio = ratio * scale;
    if (0.0..=1.0).contains(&ratio) {
        Ok(ratio)
    } else {
        Err(format!("'{text}' is outside 0% to 100%"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        assert!(parse_duration("10").is_err());
        assert!(parse_duration("s").is_err());
    }

    #[test]
    fn ratios_are_shares() {
        assert!((parse_ratio("0.1%").unwrap() - 0.001).abs() < 1e-12);
        assert!(parse_ratio("101%").is_err());
        assert!(parse_ratio("few").is_err());
    }
}
