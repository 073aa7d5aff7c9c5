//! What can be counted, as one `Copy` value.

/// Declares the counters once, with the arithmetic that goes over all of them.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Cumulative counts.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Counters {
            $($(#[$doc])* pub(crate) $name: u64,)*
        }

        impl Counters {
            /// What was counted after `earlier`; zero where a count went back.
            pub(crate) fn since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.saturating_sub(earlier.$name),)* }
            }

            /// The sum of two threads' counts.
            pub(crate) fn plus(&self, other: &Self) -> Self {
                Self { $($name: self.$name.saturating_add(other.$name),)* }
            }
        }
    };
}

counters! {
    /// RTP packets that publishers sent, retransmissions left out.
    packets_sent,
    /// Their bytes as datagrams.
    bytes_sent,
    /// Distinct RTP packets that subscribers received, late and repaired ones included,
    /// duplicates and padding left out.
    packets_received,
    /// Their bytes as datagrams.
    bytes_received,
    /// Sequence numbers that a subscriber saw passed over and that did not come within the time
    /// in which a repair is of use.
    packets_lost,
    /// Sequence numbers that subscribers asked for again.
    nacks_sent,
    /// Sequence numbers that publishers were asked for again.
    nacks_received,
    /// Retransmissions that subscribers received.
    rtx_received,
    /// Retransmissions that publishers sent.
    rtx_sent,
    /// Packets that subscribers received once more.
    duplicates,
    /// Keyframes that subscribers asked for.
    plis_sent,
    /// Keyframes that publishers were asked for.
    plis_received,
    /// Whole pictures that subscribers received.
    frames,
    /// Times that a subscriber's picture stood still for longer than a viewer overlooks.
    freezes,
    /// Times that a stream changed its layer at a subscriber.
    layer_switches,
    /// Transport-wide feedback messages that subscribers sent.
    feedback_sent,
    /// Packets that did not authenticate.
    decrypt_failures,
    /// Datagrams that the kernel dropped because a client's socket was full.
    socket_drops,
    /// Sends that the kernel refused.
    send_failures,
    /// Packets that publishers sent later than a subscriber would overlook: the clients were
    /// too slow.
    late_sends,
    /// Clients that joined and have media keys.
    clients_connected,
    /// Clients that tried to join and did not.
    clients_failed,
    /// Clients that had joined and were cut off by the server or by silence.
    clients_lost,
    /// Clients that left because the scenario said so.
    clients_left,
}

impl Counters {
    /// What subscribers should have received: what came and what is missing.
    pub(crate) fn packets_expected(&self) -> u64 {
        self.packets_received + self.packets_lost
    }

    /// Share of the expected packets that are missing. All of them, if nothing was expected: a
    /// server that forwards nothing must not look perfect.
    pub(crate) fn loss_ratio(&self) -> f64 {
        match self.packets_expected() {
            0 => 1.0,
            expected => self.packets_lost as f64 / expected as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn differences_and_sums_go_over_every_counter() {
        let early = Counters {
            packets_sent: 3,
            clients_left: 1,
            ..Counters::default()
        };
        let late = Counters {
            packets_sent: 10,
            clients_left: 4,
            ..Counters::default()
        };
        let between = late.since(&early);
        assert_eq!((between.packets_sent, between.clients_left), (7, 3));
        assert_eq!(between.plus(&early), late);
        assert_eq!(early.since(&late), Counters::default());
    }

    #[test]
    fn loss_is_a_share_of_what_should_have_come() {
        let counters = Counters {
            packets_received: 990,
            packets_lost: 10,
            ..Counters::default()
        };
        assert!((counters.loss_ratio() - 0.01).abs() < 1e-12);
    }

    #[test]
    fn nothing_received_is_everything_lost() {
        assert!((Counters::default().loss_ratio() - 1.0).abs() < 1e-12);
    }
}
