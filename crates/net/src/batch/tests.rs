use super::*;

/// Keeps what it is given.
struct Sent {
    runs: Vec<(u16, Vec<u8>, Option<usize>, u16)>,
    max_segments: usize,
}

impl RunSink for Sent {
    fn send_run(&mut self, path: &Path, bytes: &[u8], segment: Option<usize>, count: u16) {
        let port = path.remote.address.port();
        self.runs.push((port, bytes.to_vec(), segment, count));
    }

    fn max_segments(&self) -> usize {
        self.max_segments
    }
}

fn batch(max_segments: usize) -> Batch<Sent> {
    Batch::new(Sent {
        runs: Vec::new(),
        max_segments,
    })
}

fn path(port: u16) -> Path {
    Path::to(([127, 0, 0, 1], port).into())
}

/// Writes `length` bytes of `fill` to `port`, with some room left over as packets have.
fn write(batch: &mut Batch<Sent>, port: u16, fill: u8, length: usize) {
    let place = batch.reserve(path(port), length + 40).unwrap();
    place[..length].fill(fill);
    batch.commit(length);
}

/// (port, segment sizes) of each message.
fn shape(batch: &mut Batch<Sent>) -> Vec<(u16, Vec<usize>)> {
    batch.send();
    let runs = std::mem::take(&mut batch.sink.runs);
    runs.iter()
        .map(|(port, bytes, segment, count)| {
            let sizes: Vec<usize> = match segment {
                Some(size) => bytes.chunks(*size).map(<[u8]>::len).collect(),
                None => vec![bytes.len()],
            };
            assert_eq!(sizes.len(), usize::from(*count));
            (*port, sizes)
        })
        .collect()
}

#[test]
fn what_one_destination_gets_in_a_row_is_one_message() {
    let mut batch = batch(64);
    for port in 1..=3 {
        for packet in 0..5 {
            write(&mut batch, port, packet, 100);
        }
    }
    let expected: Vec<_> = (1..=3).map(|port| (port, vec![100; 5])).collect();
    assert_eq!(shape(&mut batch), expected);
}

#[test]
fn nothing_waits_for_another_destination() {
    let mut batch = batch(64);
    write(&mut batch, 1, 1, 100);
    assert_eq!(batch.sink.runs.len(), 0);
    batch.reserve(path(2), 100).unwrap();
    assert_eq!(batch.sink.runs.len(), 1);
}

#[test]
fn bytes_and_order_survive() {
    let mut batch = batch(64);
    let sizes = [100, 100, 101, 101, 50, 50, 120, 100];
    for port in 1..=2 {
        for (index, size) in sizes.iter().enumerate() {
            write(&mut batch, port, index as u8, *size);
        }
    }
    batch.send();
    for port in 1..=2 {
        let mut seen = Vec::new();
        for (_, bytes, segment, _) in batch.sink.runs.iter().filter(|run| run.0 == port) {
            for datagram in bytes.chunks(segment.unwrap_or(usize::MAX)) {
                assert!(datagram.iter().all(|byte| *byte == datagram[0]));
                seen.push((usize::from(datagram[0]), datagram.len()));
            }
        }
        let expected: Vec<_> = sizes.iter().copied().enumerate().collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn only_the_last_segment_is_shorter() {
    let mut batch = batch(64);
    for size in [100, 100, 60, 60, 100, 100] {
        write(&mut batch, 1, 1, size);
    }
    assert_eq!(
        shape(&mut batch),
        [(1, vec![100, 100, 60]), (1, vec![60]), (1, vec![100, 100]),]
    );
}

#[test]
fn runs_end_at_the_segment_limit() {
    let mut batch = batch(64);
    for _ in 0..20 {
        write(&mut batch, 1, 1, 100);
    }
    assert_eq!(shape(&mut batch), [(1, vec![100; 16]), (1, vec![100; 4])]);
}

#[test]
fn runs_end_at_their_most_bytes() {
    let mut batch = batch(64);
    for _ in 0..20 {
        write(&mut batch, 1, 1, 1_450);
    }
    for (_, sizes) in shape(&mut batch) {
        assert!(sizes.iter().sum::<usize>() <= RUN_BYTES);
        assert!(sizes.len() >= 6);
    }
}

#[test]
fn without_offload_each_datagram_is_a_message() {
    let mut batch = batch(1);
    for _ in 0..3 {
        write(&mut batch, 1, 1, 100);
    }
    assert_eq!(
        shape(&mut batch),
        [(1, vec![100]), (1, vec![100]), (1, vec![100])]
    );
}

#[test]
fn local_addresses_are_kept_apart() {
    let mut batch = batch(64);
    let mut other = path(1);
    other.local_ip = Some([127, 0, 0, 9].into());
    write(&mut batch, 1, 1, 100);
    batch.reserve(other, 100).unwrap().fill(2);
    batch.commit(100);
    assert_eq!(shape(&mut batch), [(1, vec![100]), (1, vec![100])]);
}

#[test]
fn an_uncommitted_reservation_is_forgotten() {
    let mut batch = batch(64);
    write(&mut batch, 1, 1, 100);
    batch.reserve(path(1), 100).unwrap().fill(9);
    batch.reserve(path(1), 100).unwrap().fill(9);
    write(&mut batch, 1, 1, 100);
    assert_eq!(shape(&mut batch), [(1, vec![100, 100])]);
    assert_eq!(shape(&mut batch), []);
}

#[test]
fn larger_than_a_run_is_refused() {
    let mut batch = batch(64);
    assert!(batch.reserve(path(1), RUN_BYTES + 1).is_none());
}

#[test]
fn what_was_written_is_counted_until_asked() {
    let mut batch = batch(64);
    write(&mut batch, 1, 1, 100);
    write(&mut batch, 2, 1, 100);
    batch.reserve(path(3), 100).unwrap();
    assert_eq!(batch.take_written(), 2);
    assert_eq!(batch.take_written(), 0);
}
