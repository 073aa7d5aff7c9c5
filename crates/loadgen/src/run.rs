//! A run: clients join at the ramp, media flows for the duration, everyone leaves, the report.

use crate::args::Args;
use crate::client::{self, Plan, Shared};
use crate::report::{Client, Report};
use crate::tally::Tally;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Seconds for which the clients' tokens are valid.
const TOKEN_TTL_S: u64 = 3_600;
/// Above this share of the machine the clients cannot keep time.
const BOTTLENECK_SHARE: f64 = 0.8;
/// How long clients may take to leave.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the load and returns what was measured. Progress goes to the log.
///
/// # Errors
/// If there is nothing to do, the server cannot be reached, or a client is refused or dropped.
/// `--fail-loss` is for the caller to hold the report against.
pub async fn run(args: Args) -> Result<Report> {
    if args.rooms * args.publishers == 0 || args.subscribers == 0 {
        bail!("nothing to do: --rooms, --publishers and --subscribers must be at least 1");
    }
    let (end, over) = watch::channel(false);
    let start = Instant::now();
    let shared = Arc::new(Shared {
        url: args.url.clone(),
        start,
        tally: Tally::default(),
        over,
    });
    let mut clients = JoinSet::new();
    ramp_up(&args, &shared, &mut clients).await?;

    shared.tally.restart_counting();
    let (counted_from, cpu_from) = (Instant::now(), cpu_seconds());
    measure(&args, &shared, &mut clients).await?;
    let seconds = counted_from.elapsed().as_secs_f64();
    let cores_busy = (cpu_seconds() - cpu_from) / seconds;
    let totals = shared.tally.totals();

    end.send_replace(true);
    let left = async { while clients.join_next().await.is_some() {} };
    if tokio::time::timeout(LEAVE_TIMEOUT, left).await.is_err() {
        tracing::warn!("some clients did not leave in time");
    }

    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
    let client = Client {
        cores_busy,
        bottleneck: cores_busy > cores * BOTTLENECK_SHARE,
    };
    let report = Report::new(&args, &totals, seconds, client);
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report)
}

/// Publishers first, so that subscribers find them. Each client is awaited in turn: a refusal
/// ends the run with its reason.
async fn ramp_up(
    args: &Args,
    shared: &Arc<Shared>,
    clients: &mut JoinSet<Result<()>>,
) -> Result<()> {
    let pause = Duration::from_secs(1) / args.ramp.max(1);
    let mut waiting = Vec::new();
    for plan in plans(args)? {
        let (joined, is_joined) = watch::channel(false);
        clients.spawn(client::run(shared.clone(), plan, joined));
        waiting.push(is_joined);
        tokio::time::sleep(pause).await;
    }
    for mut is_joined in waiting {
        if is_joined.wait_for(|joined| *joined).await.is_err() {
            return Err(first_error(clients).await);
        }
    }
    tracing::info!(clients = clients.len(), "everyone has joined");
    Ok(())
}

async fn measure(args: &Args, shared: &Shared, clients: &mut JoinSet<Result<()>>) -> Result<()> {
    let until = tokio::time::Instant::now() + args.duration;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(until) => return Ok(()),
            Some(ended) = clients.join_next() => {
                ended??;
                bail!("a client left before the end of the run");
            }
            _ = ticks.tick() => tracing::info!(packets = shared.tally.received(), "received"),
        }
    }
}

async fn first_error(clients: &mut JoinSet<Result<()>>) -> anyhow::Error {
    while let Some(ended) = clients.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(error) => return error.into(),
        }
    }
    anyhow::anyhow!("a client ended before it had joined")
}

fn plans(args: &Args) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    let video = !args.no_video;
    for room in 0..args.rooms {
        let names = (0..args.publishers)
            .map(|n| (format!("pub-{n}"), 0))
            .chain((0..args.subscribers).map(|n| (format!("sub-{n}"), args.publishers)));
        for (name, sources) in names {
            let token = token(args, &format!("load-{room}"), &name)?;
            let index = plans.len();
            plans.push(Plan {
                index,
                name,
                token,
                audio: args.audio,
                video,
                sources,
            });
        }
    }
    Ok(plans)
}

fn token(args: &Args, room: &str, identity: &str) -> Result<String> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let claims = json!({
        "iss": args.key,
        "sub": identity,
        "exp": now + TOKEN_TTL_S,
        "video": { "room": room, "roomJoin": true, "canPublish": true, "canSubscribe": true },
    });
    let key = jsonwebtoken::EncodingKey::from_secret(args.secret.as_bytes());
    Ok(jsonwebtoken::encode(
        &jsonwebtoken::Header::default(),
        &claims,
        &key,
    )?)
}

/// User and system CPU seconds of this process so far (proc_pid_stat(5), fields 14 and 15).
fn cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field may contain spaces; it ends at the last parenthesis.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<f64>().ok())
        .sum();
    ticks / TICKS_PER_SECOND
}
