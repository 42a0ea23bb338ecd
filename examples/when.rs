//! Reads texts, one a line, and prints the times in them and how long it took to read one.
//!
//! `cargo run --release --example when -- 2023-05-10 < texts`

use std::io::BufRead;
use std::time::Instant;

use edgemem::memory::Moment;
use edgemem::pipeline::when::{mentions, words};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let said: Moment = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("2023-05-10")
        .parse()?;
    let lines: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    for line in &lines {
        for mention in mentions(line, said) {
            let told = mention
                .span
                .map_or_else(|| format!("{:?}", mention.kind), words);
            let near = line.get(mention.range.clone()).unwrap_or("");
            println!("{near}\t{told}");
        }
    }
    let rounds = 20_000 / lines.len().max(1) + 1;
    let start = Instant::now();
    for line in (0..rounds).flat_map(|_| &lines) {
        std::hint::black_box(mentions(line, said));
    }
    let reads = u32::try_from(rounds * lines.len().max(1))?;
    let bytes: usize = lines.iter().map(String::len).sum();
    eprintln!(
        "{:?} a text of {} bytes",
        start.elapsed() / reads,
        bytes / lines.len().max(1)
    );
    Ok(())
}
