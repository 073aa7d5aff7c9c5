//! Where the benchmark runs: what has to stand beside every figure.

use crate::measure::Machine;
use std::fs;

/// The commit that was built; see `build.rs`.
const COMMIT: &str = env!("PLENUM_COMMIT");

/// This machine. `cipher` is what the clients negotiated.
pub(crate) fn read(cipher: String) -> Machine {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let kernel = ["ostype", "osrelease"].map(|name| text(&format!("/proc/sys/kernel/{name}")));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Machine {
        cpu: cpu(&text("/proc/cpuinfo"), cores),
        kernel: kernel
            .map(|word| word.trim().to_owned())
            .join(" ")
            .trim()
            .to_owned(),
        commit: COMMIT.to_owned(),
        cipher,
    }
}

/// The model, from `/proc/cpuinfo`, and how many cores this process may use. Not every
/// architecture names a model.
fn cpu(info: &str, cores: usize) -> String {
    let model = info.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim())
    });
    let model = model.unwrap_or(std::env::consts::ARCH);
    let plural = if cores == 1 { "" } else { "s" };
    format!("{model}, {cores} core{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_named() {
        let info = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Example 9000\nstepping\t: 1\n";
        assert_eq!(cpu(info, 2), "Example 9000, 2 cores");
        assert_eq!(cpu("", 1), format!("{}, 1 core", std::env::consts::ARCH));
    }

    #[test]
    fn this_machine_is_known() {
        let machine = read("AEAD_AES_128_GCM".to_owned());
        assert!(machine.kernel.starts_with("Linux "), "{}", machine.kernel);
        assert!(!machine.commit.is_empty() && !machine.cpu.is_empty());
        assert_eq!(machine.cipher, "AEAD_AES_128_GCM");
    }
}
