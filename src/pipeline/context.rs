//! One text for a prompt, out of what is remembered, within a budget.

use super::knowledge::Graph;
use crate::compact::OrderedSet;
use crate::memory::{Id, Memory, Moment, Precision, Relation};
use crate::operation::{Conflict, Dated, Hit, Reply};

/// The share of the budget that each section may take; facts have what the others leave.
const STANDING_SHARE: f32 = 0.25;
const PROFILE_SHARE: f32 = 0.15;
const CONFLICT_SHARE: f32 = 0.2;
const TIMELINE_SHARE: f32 = 0.3;

/// Bytes of a line's text at most: a long message is cut.
const LONGEST_LINE: usize = 500;

/// A citation in a budget, whatever its number is.
const CITATION: &str = " [m999]";

/// What comes first in a profile; other relations follow by name.
const PROFILE: [&str; 9] = [
    "name",
    "allergic_to",
    "lives_in",
    "works_as",
    "works_at",
    "married_to",
    "partner_of",
    "age",
    "diet",
];

/// What a context is made of, each in the order in which it is to appear.
pub struct Material<'a> {
    /// Instructions and preferences that apply.
    pub standing: Vec<Memory>,
    /// The owner's relations of one value at a time, and what must never be forgotten.
    pub profile: Vec<Relation>,
    /// What answers the question, best first.
    pub facts: Vec<Hit>,
    /// What happened, in order, when the question needs it.
    pub timeline: Vec<Dated>,
    /// What cannot all be true, newest first.
    pub conflicts: Vec<Conflict>,
    /// The graph that the relations are of.
    pub graph: &'a Graph,
}

struct Line {
    text: String,
    cites: Vec<Id>,
}

/// Lines of one section that fit, under its title.
struct Section {
    title: &'static str,
    lines: Vec<Line>,
}

/// The tokens of a text, about: one for four bytes, two for three characters of Chinese, Japanese or Korean.
pub fn tokens(text: &str) -> usize {
    units(text).div_ceil(UNITS)
}

/// Parts of a token.
const UNITS: usize = 12;

fn units(text: &str) -> usize {
    let unit = |c: char| match is_dense(c) {
        true => UNITS * 2 / 3,
        false => c.len_utf8() * UNITS / 4,
    };
    text.chars().map(unit).sum()
}

/// A character of which a model's vocabulary knows hardly more than itself.
fn is_dense(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a relation of the owner belongs into a profile, though it can have several values.
pub fn is_of_profile(predicate: &str) -> bool {
    PROFILE.contains(&predicate)
}

/// The order of a profile.
pub fn profile_rank(predicate: &str) -> usize {
    let known = PROFILE.iter().position(|first| *first == predicate);
    known.unwrap_or(PROFILE.len())
}

/// Packs sections into so many tokens.
pub fn pack(material: Material<'_>, budget: usize) -> Reply {
    let mut told = OrderedSet::new();
    let mut packer = Packer {
        left: budget * UNITS,
        budget: budget * UNITS,
        truncated: false,
    };
    let standing = packer.section(
        "Always follow:",
        STANDING_SHARE,
        material.standing.iter().map(|memory| {
            let condition = memory.applies_when.as_deref();
            let condition = condition.map(|when| format!(" (when: {when})"));
            Line {
                text: memory.text().to_owned() + &condition.unwrap_or_default(),
                cites: vec![memory.id],
            }
        }),
        &mut told,
    );
    let profile = packer.section(
        "About the user:",
        PROFILE_SHARE,
        material.profile.iter().map(|relation| Line {
            text: format!(
                "{}: {}",
                relation.predicate.replace('_', " "),
                material.graph.object_name(&relation.object)
            ),
            cites: relation.memories.last().copied().into_iter().collect(),
        }),
        &mut OrderedSet::new(),
    );
    let conflicts = packer.section(
        "Contradictory, ask before relying on either:",
        CONFLICT_SHARE,
        material.conflicts.iter().map(|conflict| {
            let mut sides: Vec<_> = conflict.sides.iter().collect();
            sides.sort_by_key(|side| std::cmp::Reverse(side.said_at));
            let texts = sides.iter().map(|side| match side.said_at {
                Some(at) => format!("{} (said {})", side.text, at.words(Precision::Day)),
                None => side.text.clone(),
            });
            Line {
                text: texts.collect::<Vec<_>>().join(" — or: "),
                cites: sides
                    .iter()
                    .filter_map(|side| side.memories.last().copied())
                    .collect(),
            }
        }),
        &mut OrderedSet::new(),
    );
    let timeline = packer.section(
        "In order of time:",
        TIMELINE_SHARE,
        material.timeline.iter().map(|dated| Line {
            text: format!("{}: {}", span_words(dated), dated.text),
            cites: dated.memories.last().copied().into_iter().collect(),
        }),
        // Each version of a memory is a line of its own.
        &mut OrderedSet::new(),
    );
    told.extend(
        timeline
            .lines
            .iter()
            .flat_map(|line| line.cites.iter().copied()),
    );
    let facts = packer.section(
        "Known:",
        1.0,
        // What was extracted says more in fewer words than what was said.
        [true, false]
            .into_iter()
            .flat_map(|listed| {
                let facts = material.facts.iter();
                facts.filter(move |hit| hit.memory.is_listed() == listed)
            })
            .map(|hit| Line {
                text: fact_words(&hit.memory),
                cites: vec![hit.memory.id],
            }),
        &mut told,
    );
    write(
        [standing, profile, facts, timeline, conflicts],
        packer.truncated,
    )
}

struct Packer {
    budget: usize,
    left: usize,
    truncated: bool,
}

impl Packer {
    /// The lines that fit into a share of the budget, without those whose memories are all told already.
    fn section(
        &mut self,
        title: &'static str,
        share: f32,
        lines: impl Iterator<Item = Line>,
        told: &mut OrderedSet<Id>,
    ) -> Section {
        let mut room = self.left.min((self.budget as f32 * share) as usize);
        let mut section = Section {
            title,
            lines: Vec::new(),
        };
        for mut line in lines {
            if !line.cites.is_empty() && line.cites.iter().all(|id| told.contains(id)) {
                continue;
            }
            self.truncated |= cut(&mut line.text);
            // "- ", the end of the line, and before the first one the title with an empty line.
            let heading = match section.lines.is_empty() {
                true => units(title) + units("\n\n"),
                false => 0,
            };
            let cost =
                heading + units("- \n") + units(&line.text) + units(CITATION) * line.cites.len();
            if cost > room {
                self.truncated = true;
                continue;
            }
            room -= cost;
            self.left -= cost;
            section.lines.push(line);
        }
        let cited = section.lines.iter().flat_map(|line| &line.cites);
        told.extend(cited.copied());
        section
    }
}

fn write(sections: [Section; 5], truncated: bool) -> Reply {
    let mut text = String::new();
    let mut memories: Vec<Id> = Vec::new();
    for section in sections.iter().filter(|section| !section.lines.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(section.title);
        text.push('\n');
        for line in &section.lines {
            text.push_str("- ");
            text.push_str(&line.text);
            for id in &line.cites {
                let known = memories.iter().position(|known| known == id);
                let place = known.unwrap_or_else(|| {
                    memories.push(*id);
                    memories.len() - 1
                });
                text.push_str(&format!(" [m{}]", place + 1));
            }
            text.push('\n');
        }
    }
    Reply::Context {
        tokens: tokens(&text),
        text,
        memories,
        truncated,
    }
}

/// Cuts a text to a line of bounded length, and tells whether it had to.
fn cut(text: &mut String) -> bool {
    if text.contains(['\n', '\r']) {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if text.len() <= LONGEST_LINE {
        return false;
    }
    let head = text.floor_char_boundary(LONGEST_LINE);
    let word = text.get(..head).and_then(|head| head.rfind(' '));
    text.truncate(word.unwrap_or(head));
    text.push('…');
    true
}

/// A memory with who said it, and when what it says holds, or when it was said.
fn fact_words(memory: &Memory) -> String {
    let text = match &memory.name {
        Some(name) => format!("{name}: {}", memory.text()),
        None => memory.text().to_owned(),
    };
    let version = memory.latest();
    let from = version.and_then(|version| Some((version.valid_from?, version.from_precision?)));
    let to = version.and_then(|version| Some((version.valid_to?, version.to_precision?)));
    match (from, to) {
        (None, None) => format!("{text} (said {})", memory.created_at.words(Precision::Day)),
        (from, to) => format!("{text} ({})", range_words(from, to)),
    }
}

fn span_words(dated: &Dated) -> String {
    let from = (dated.from, dated.from_precision.unwrap_or(Precision::Day));
    let to = dated
        .to
        .map(|to| (to, dated.to_precision.unwrap_or(Precision::Day)));
    range_words(Some(from), to)
}

/// A span in words; its end is the last day, month or year that belongs to it.
fn range_words(from: Option<(Moment, Precision)>, to: Option<(Moment, Precision)>) -> String {
    let from = from.map(|(at, precision)| at.words(precision));
    let to = to.map(|(at, precision)| at.plus_millis(-1).words(precision));
    match (from, to) {
        (Some(from), Some(to)) if from == to => from,
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("until {to}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_by_script() {
        assert_eq!(tokens("four"), 1);
        assert_eq!(tokens("fours"), 2);
        assert_eq!(tokens("東京都"), 2);
        assert_eq!(tokens(""), 0);
    }
}
