//! Every file of `corpus/`, and a fixed number of mutants of each, through its target.
//!
//! The mutants are the same on every run: a failure here is a failure for everybody.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // a test may end with the reason

use std::fs;
use std::path::Path;

use hyperty_fuzz::{TARGETS, Target};

/// Mutants of one target. Without optimisation they take up to a second or two; an engine
/// for each, as a script host has it, takes far longer than bytes alone.
const MUTANTS: u32 = 200;
const MUTANTS_OF_A_SCRIPT_HOST: u32 = 20;

/// What numbers in hostile input like to be.
const EDGES: [&[u8]; 8] = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f",
    b"{",
    b"\"",
    b"\n",
    b"99999999999999999999",
];

#[test]
fn every_kept_input_and_its_mutants_are_read_without_a_failure() {
    for target in TARGETS {
        let seeds = seeds(target.0);
        assert!(!seeds.is_empty(), "no corpus for `{}`", target.0);

        read_all(target, &seeds);
    }
}

#[test]
fn every_target_is_a_program_of_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut programs: Vec<_> = fs::read_dir(folder)
        .expect("the folder of programs")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    programs.sort();

    assert_eq!(programs, TARGETS.map(|(name, _)| name));
}

fn read_all((name, read): Target, seeds: &[Vec<u8>]) {
    // Seen only when it fails: which target it was.
    println!("{name}: {} kept inputs", seeds.len());
    for seed in seeds {
        read(seed);
    }
    let mutants = if name == "script" {
        MUTANTS_OF_A_SCRIPT_HOST
    } else {
        MUTANTS
    };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..mutants {
        let mutant = mutant(seeds, &mut dice);
        println!("{name}: {}", mutant.escape_ascii());
        read(&mutant);
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| fs::read(file).expect("a kept input"))
        .collect()
}

/// A seed with up to four changes: a bit, a piece cut, doubled, of another seed, an edge.
fn mutant(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(16)).min(bytes.len());
        match dice.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(32)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            _ => {
                bytes.splice(at..end, EDGES[dice.below(EDGES.len())].iter().copied());
            }
        }
    }
    bytes
}

/// Numbers that look like chance (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let end = u64::try_from(end.max(1)).expect("a length");
        usize::try_from(self.0 % end).expect("below a length")
    }
}
