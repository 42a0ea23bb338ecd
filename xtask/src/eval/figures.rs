//! What is measured: how much of the evidence the hits hold, and how long a search takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

/// Sums over questions.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    questions: usize,
    any5: f64,
    any10: f64,
    any20: f64,
    recall10: f64,
    recall20: f64,
    all20: f64,
    mrr: f64,
}

impl Sums {
    fn add(&mut self, gold: &BTreeSet<&str>, found: &[BTreeSet<String>]) {
        let covered = |k: usize| {
            let top: BTreeSet<&str> = found.iter().take(k).flatten().map(String::as_str).collect();
            gold.intersection(&top).count()
        };
        let share = |k: usize| covered(k) as f64 / gold.len() as f64;
        let yes = |holds: bool| f64::from(u8::from(holds));
        let first = found
            .iter()
            .position(|turns| turns.iter().any(|t| gold.contains(t.as_str())));
        self.questions += 1;
        self.any5 += yes(covered(5) > 0);
        self.any10 += yes(covered(10) > 0);
        self.any20 += yes(covered(20) > 0);
        self.recall10 += share(10);
        self.recall20 += share(20);
        self.all20 += yes(covered(20) == gold.len());
        self.mrr += first.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    }

    fn figures(&self) -> [(&'static str, f64); 7] {
        let mean = |sum: f64| {
            let mean = sum / self.questions.max(1) as f64;
            (mean * 10_000.0).round() / 10_000.0
        };
        [
            ("any@5", mean(self.any5)),
            ("any@10", mean(self.any10)),
            ("any@20", mean(self.any20)),
            ("recall@10", mean(self.recall10)),
            ("recall@20", mean(self.recall20)),
            ("all@20", mean(self.all20)),
            ("mrr", mean(self.mrr)),
        ]
    }

    fn json(&self) -> Value {
        self.figures()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect()
    }
}

/// The figures of a run.
#[derive(Default)]
pub struct Figures {
    overall: Sums,
    categories: BTreeMap<String, Sums>,
    adversarial: Sums,
    /// Those of the overall ones that are of one conversation.
    conversations: BTreeMap<String, Sums>,
    /// Those of each channel alone, where they were asked for.
    channels: BTreeMap<String, Sums>,
    /// Memories stored.
    pub memories: usize,
    /// How long each search took.
    pub search_times: Vec<Duration>,
}

impl Figures {
    /// Counts one question: the turns that hold its answer, and the turns behind each hit, best first.
    pub fn record(
        &mut self,
        conversation: &str,
        category: &str,
        evidence: &[String],
        found: &[BTreeSet<String>],
    ) {
        let gold: BTreeSet<&str> = evidence.iter().map(String::as_str).collect();
        if category == "adversarial" {
            return self.adversarial.add(&gold, found);
        }
        self.overall.add(&gold, found);
        self.conversations
            .entry(conversation.to_owned())
            .or_default()
            .add(&gold, found);
        self.categories
            .entry(category.to_owned())
            .or_default()
            .add(&gold, found);
    }

    /// Counts one question for a channel alone.
    pub fn record_channel(
        &mut self,
        channel: &str,
        category: &str,
        evidence: &[String],
        found: &[BTreeSet<String>],
    ) {
        if category != "adversarial" {
            let gold: BTreeSet<&str> = evidence.iter().map(String::as_str).collect();
            let sums = self.channels.entry(channel.to_owned()).or_default();
            sums.add(&gold, found);
        }
    }

    fn percentile(&self, share: f64) -> f64 {
        let mut times = self.search_times.clone();
        times.sort();
        let place = (times.len() as f64 * share) as usize;
        let time = times.get(place.min(times.len().saturating_sub(1)));
        time.map_or(0.0, |time| (time.as_secs_f64() * 1e6).round() / 1e3)
    }

    /// any@10 of all but each conversation: a constant that fits one conversation only shows here.
    fn any10_without(&self) -> BTreeMap<&str, f64> {
        let without = |sums: &Sums| {
            let questions = self.overall.questions - sums.questions;
            let any10 = (self.overall.any10 - sums.any10) / questions.max(1) as f64;
            (any10 * 10_000.0).round() / 10_000.0
        };
        let each = self.conversations.iter();
        each.map(|(name, sums)| (name.as_str(), without(sums)))
            .collect()
    }

    /// As one JSON object.
    pub fn json(&self) -> Value {
        let each = |sums: &BTreeMap<String, Sums>| -> Map<String, Value> {
            let each = sums.iter();
            each.map(|(name, sums)| (name.clone(), sums.json()))
                .collect()
        };
        json!({
            "overall": self.overall.json(),
            "categories": each(&self.categories),
            "channels": each(&self.channels),
            "adversarial": self.adversarial.json(),
            "any@10_without": self.any10_without(),
            "memories": self.memories,
            "questions": self.overall.questions + self.adversarial.questions,
            "search_ms": {"p50": self.percentile(0.5), "p95": self.percentile(0.95)},
        })
    }

    /// As a table on the terminal.
    pub fn print(&self) {
        let names: Vec<String> = self
            .overall
            .figures()
            .iter()
            .map(|(name, _)| format!("{name:>9}"))
            .collect();
        println!("{:<14}{:>9}{}", "", "questions", names.concat());
        let row = |name: &str, sums: &Sums| {
            let values = sums
                .figures()
                .map(|(_, value)| format!("{value:>9.3}"))
                .concat();
            println!("{name:<14}{:>9}{values}", sums.questions);
        };
        for (name, sums) in &self.categories {
            row(name, sums);
        }
        row("overall", &self.overall);
        row("(adversarial)", &self.adversarial);
        for (name, sums) in &self.channels {
            row(&format!("{name} alone"), sums);
        }
        let without = self.any10_without().into_iter();
        let without = without.map(|(name, any10)| format!("{name} {any10:.3}"));
        let without: Vec<String> = without.collect();
        println!("\nany@10 without one conversation: {}", without.join(", "));
        println!(
            "\n{} memories; search {} ms p50, {} ms p95",
            self.memories,
            self.percentile(0.5),
            self.percentile(0.95)
        );
    }
}
