//! Bandwidth: what is found out about a subscriber's link, and what its slots show for it.
//!
//! A publisher sends sound and simulcast of 150, 400 and 1,000 kbit/s; a subscriber behind a
//! bottleneck with a queue of 300 ms shows it at full size. Each figure is printed.

mod call;
mod estimate;
mod layers;
