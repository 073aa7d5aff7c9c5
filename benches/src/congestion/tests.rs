//! What must hold on each link, over seeds: `PLENUM_SEEDS=100` runs as many.

mod models;

use super::case::{CASES, Case};
use super::figures::Figures;
use super::run::run;

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    match number("PLENUM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PLENUM_SEEDS").unwrap_or(2),
    }
}

fn figures(section: &str) -> Vec<(u64, Case, Figures)> {
    let cases = CASES.into_iter().filter(|case| case.section == section);
    let runs = cases.flat_map(|case| seeds().map(move |seed| (seed, case)));
    runs.map(|(seed, case)| {
        let figures = Figures::of(&run(case, seed));
        println!("seed {seed}: {} {figures:?}", case.title);
        (seed, case, figures)
    })
    .collect()
}

/// Where no TCP shares the link: it is used, and its queue stays short.
fn holds(section: &str) {
    for (seed, case, figures) in figures(section) {
        assert!(
            figures.steady >= 0.85 && figures.queue_p95_ms <= 100.0,
            "seed {seed} {}: {figures:?}",
            case.title
        );
    }
}

#[test]
fn variable_capacity_with_one_flow() {
    holds("5.1");
}

#[test]
fn variable_capacity_with_two_flows() {
    holds("5.2");
}

#[test]
fn congested_feedback() {
    holds("5.3");
}

#[test]
fn competing_with_its_own_kind() {
    holds("5.4");
}

#[test]
fn fairness_over_round_trip_times() {
    holds("5.5");
}

#[test]
fn pause_and_resume() {
    holds("5.8");
}

/// A controller that keeps queues short yields nearly all to one that fills them. Sound goes on, as
/// the estimate has a floor; and the two of them use the link.
#[test]
fn against_a_long_tcp_flow() {
    for (seed, case, figures) in figures("5.6") {
        assert!(
            figures.media_share >= 0.025,
            "seed {seed} {}: {figures:?}",
            case.title
        );
        assert!(
            figures.steady >= 0.85,
            "seed {seed} {}: {figures:?}",
            case.title
        );
    }
}

/// The ten TCP flows would take more than twice the link.
#[test]
fn against_short_tcp_flows() {
    for (seed, case, figures) in figures("5.7") {
        assert!(
            figures.media_share >= 0.045,
            "seed {seed} {}: {figures:?}",
            case.title
        );
        assert!(
            figures.fairness >= 0.8,
            "seed {seed} {}: {figures:?}",
            case.title
        );
    }
}

#[test]
fn a_seed_repeats_a_run() {
    let rates = |seed| {
        let run = run(CASES[0], seed);
        run.samples
            .iter()
            .map(|sample| sample.rate_kbps[0])
            .collect::<Vec<_>>()
    };
    assert_eq!(rates(3), rates(3));
    assert_ne!(rates(3), rates(4));
}
