//! The watch over a whole run, with this process as the server.

use super::*;
use crate::http;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SECOND: Duration = Duration::from_secs(1);

fn thread(name: &str, user_ms: u64) -> ThreadCpu {
    let user = Duration::from_millis(user_ms);
    ThreadCpu {
        name: name.to_owned(),
        cpu: CpuTime {
            user,
            system: Duration::ZERO,
        },
    }
}

#[test]
fn threads_of_one_name_are_one_row() {
    let before = BTreeMap::from([(1, thread("shard-0", 100)), (2, thread("worker", 50))]);
    let after = BTreeMap::from([
        (1, thread("shard-0", 900)),
        (2, thread("worker", 60)),
        (3, thread("worker", 5)),
    ]);
    let found = by_name(&before, &after);
    let rows: Vec<_> = found
        .iter()
        .map(|row| (row.name.as_str(), row.threads, row.cpu.user.as_millis()))
        .collect();
    assert_eq!(rows, [("shard-0", 1, 800), ("worker", 2, 15)]);
}

#[tokio::test]
async fn a_plenum_server_tells_of_its_sends() {
    let scrapes = Arc::new(AtomicU64::new(0));
    let page = move || async move {
        let sends = 10 * scrapes.fetch_add(1, Ordering::Relaxed);
        let datagrams = 4 * sends;
        format!("plenum_net_sends_total {sends}\nplenum_net_sent_datagrams_total {datagrams}\n")
    };
    let url = http::tests::serve(Router::new().route("/metrics", get(page))).await;
    let mut watch = ServerWatch::new(std::process::id(), url.as_str())
        .await
        .unwrap();
    watch.on_publishers_joined(SECOND, 1).unwrap();
    watch.on_counting_started(2 * SECOND, 3).await.unwrap();
    watch.sample(3 * SECOND).unwrap();
    let used = watch.on_counting_ended(4 * SECOND).await.unwrap();
    assert_eq!(used.samples.len(), 5);
    assert_eq!(used.counted, 2 * SECOND);
    assert_eq!((used.memory.publishers, used.memory.subscribers), (1, 3));
    assert!(used.memory.all_joined.unwrap() > 0 && used.memory.at_end > 0);
    assert!(!used.threads.is_empty());
    let plenum = used.plenum.unwrap();
    assert_eq!((plenum.sends, plenum.datagrams_out), (10, 40));
}

#[tokio::test]
async fn another_server_is_watched_from_outside_alone() {
    let url = http::tests::serve(Router::new()).await;
    let mut watch = ServerWatch::new(std::process::id(), url.as_str())
        .await
        .unwrap();
    watch.on_counting_started(SECOND, 0).await.unwrap();
    let used = watch.on_counting_ended(2 * SECOND).await.unwrap();
    assert_eq!(used.plenum, None);
    assert_eq!(used.memory.publishers_joined, None);
}
