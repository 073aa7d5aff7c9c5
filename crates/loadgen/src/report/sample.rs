//! An outcome made up for tests: a minute of a livestream whose server stumbles once.

use crate::measure::{
    ClientCpu, ClientUse, Counters, CpuTime, Histogram, JoinTimes, Machine, MemoryPhases, Outcome,
    PlenumUse, Scenario, ServerSample, ServerUse, Snapshot, ThreadUse,
};
use std::time::Duration;

/// Seconds in which everybody joins.
const RAMP_S: u64 = 10;
/// Seconds of the run.
const RUN_S: u64 = 70;
/// Who receives.
const SUBSCRIBERS: u64 = 400;
/// When packets are lost.
const STUMBLE_S: u64 = 42;

/// The outcome.
pub(crate) fn outcome() -> Outcome {
    let snapshots: Vec<Snapshot> = (0..=RUN_S).scan(Counters::default(), snapshot).collect();
    let counted = snapshots
        .iter()
        .filter(|snapshot| snapshot.at.as_secs() > RAMP_S);
    let latency = counted.fold(Histogram::default(), |mut sum, snapshot| {
        sum.merge(&snapshot.latency);
        sum
    });
    let first = snapshots[RAMP_S as usize].counters;
    let last = snapshots[RUN_S as usize].counters;
    Outcome {
        scenario: Scenario {
            name: "livestream".to_owned(),
            rooms: 1,
            publishers: 1,
            subscribers: SUBSCRIBERS as usize,
            video: true,
            details: "VP8, 30 frames/s × 5 packets × 1,100 bytes".to_owned(),
            url: "http://localhost:7880".to_owned(),
        },
        counted_from: Duration::from_secs(RAMP_S),
        counted: Duration::from_secs(RUN_S - RAMP_S),
        snapshots,
        totals: last.since(&first),
        latency,
        joins: (0..=SUBSCRIBERS).map(join).collect(),
        server: Some(server()),
        client: ClientUse {
            cores_busy: 0.42,
            busiest_media_thread: 0.4,
            drops: 0,
            bottleneck: None,
        },
        machine: Machine {
            cpu: "Example CPU 9000, 2 cores".to_owned(),
            kernel: "Linux 6.18.0".to_owned(),
            commit: "0123456789ab".to_owned(),
            cipher: "AEAD_AES_128_GCM".to_owned(),
        },
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what scan takes")]
fn snapshot(counters: &mut Counters, second: u64) -> Option<Snapshot> {
    let wobble = (second * 7_919) % 13;
    let joined = SUBSCRIBERS * second.min(RAMP_S) / RAMP_S;
    let expected = joined * (148 + wobble % 4);
    let lost = if second == STUMBLE_S {
        expected / 50
    } else {
        0
    };
    counters.packets_sent += 150;
    counters.packets_received += expected - lost;
    counters.bytes_received += (expected - lost) * 1_150;
    counters.packets_lost += lost;
    counters.freezes += lost / 200;
    counters.frames += joined * 30;
    counters.clients_connected = joined + 1;
    let mut latency = Histogram::default();
    for n in 0..joined {
        latency.record(90 + n % 50 + 12 * wobble + n * n / 400 * (1 + 6 * u64::from(lost > 0)));
    }
    let cpu = CpuTime {
        user: Duration::from_millis(250 * second),
        system: Duration::from_millis(170 * second),
    };
    let cpu = ClientCpu {
        process: cpu,
        busiest_media_thread: cpu,
    };
    Some(Snapshot {
        at: Duration::from_secs(second),
        counters: *counters,
        latency,
        cpu,
    })
}

fn join(n: u64) -> JoinTimes {
    let after = |us: u64| Some(Duration::from_micros(us + n * 7));
    JoinTimes {
        began: Duration::from_millis(n * 25),
        subscriber: n > 0,
        signaling: after(2_000),
        ice: after(2_600),
        dtls: after(6_000),
        first_packet: after(9_000).filter(|_| n > 0),
        first_keyframe: after(42_000).filter(|_| n > 0),
    }
}

fn server() -> ServerUse {
    const MIB: u64 = 1 << 20;
    let samples: Vec<ServerSample> = (0..=RUN_S)
        .scan(CpuTime::default(), |cpu, second| {
            let share = second.min(RAMP_S) * 100 / RAMP_S + (second * 7_919) % 5;
            cpu.user += Duration::from_micros(200 * share);
            cpu.system += Duration::from_micros(700 * share);
            let rss_bytes = 20 * MIB + second.min(RAMP_S) * 2 * MIB;
            Some(ServerSample {
                at: Duration::from_secs(second),
                cpu: *cpu,
                rss_bytes,
            })
        })
        .collect();
    let cpu = samples[RUN_S as usize]
        .cpu
        .since(&samples[RAMP_S as usize].cpu);
    let shard = ThreadUse {
        name: "shard-0".to_owned(),
        threads: 1,
        cpu,
    };
    let rest = ThreadUse {
        name: "tokio-rt-worker".to_owned(),
        threads: 2,
        cpu: CpuTime::default(),
    };
    ServerUse {
        pid: 4_242,
        samples,
        cpu,
        counted: Duration::from_secs(RUN_S - RAMP_S),
        threads: vec![shard, rest],
        memory: MemoryPhases {
            before_joins: 20 * MIB,
            publishers_joined: Some(21 * MIB),
            publishers: 1,
            all_joined: Some(40 * MIB),
            subscribers: SUBSCRIBERS as usize,
            at_end: 41 * MIB,
        },
        plenum: Some(PlenumUse {
            sends: 750_000,
            datagrams_out: 3_600_000,
            drops: vec![("slot_paused".to_owned(), 31), ("send_full".to_owned(), 2)],
        }),
    }
}
