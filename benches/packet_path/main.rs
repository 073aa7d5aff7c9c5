//! What each stage of the packet path costs, and all of them together, without IO.

mod describe;
mod fan_out;
mod link_hop;
mod patch;
mod srtp;

fn main() {
    divan::main();
}
