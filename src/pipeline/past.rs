//! What held when, and what was believed when.

use super::knowledge::Known;
use crate::memory::{Memory, Moment, Version};

/// The two times that a question can be about; `None` is today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Then {
    /// The world as it was at this moment.
    pub as_of: Option<Moment>,
    /// What was believed at this moment.
    pub known_at: Option<Moment>,
}

/// The stretch of time for which a version says what held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// From when on.
    pub from: Moment,
    /// The first moment at which it did not hold any more; `None` while it does.
    pub to: Option<Moment>,
}

impl Then {
    /// Whether it is today: then only what is current may answer.
    pub fn is_now(&self) -> bool {
        self.as_of.is_none() && self.known_at.is_none()
    }

    /// The place of the version that says what held then, as it was believed then.
    pub fn version(&self, memory: &Memory, known: Known<'_>) -> Option<usize> {
        let is_known = |version: &Version| self.known_at.is_none_or(|at| version.known_from <= at);
        let count = memory.versions.iter().take_while(|v| is_known(v)).count();
        let last = memory.versions.get(count.checked_sub(1)?)?;
        let is_believed = match (last.known_to, self.known_at) {
            (None, _) => true,
            (Some(to), Some(at)) => at < to,
            (Some(_), None) => false,
        };
        let Some(at) = self.as_of else {
            return is_believed.then_some(count - 1);
        };
        // What was retired without an end in the world has turned out to be wrong.
        if !is_believed && last.valid_to.is_none() {
            return None;
        }
        let holds = |place: usize| {
            let held = held(memory, place, count, known)?;
            (held.from <= at && held.to.is_none_or(|to| at < to)).then_some(place)
        };
        (0..count).rev().find_map(holds)
    }

    /// A memory as it was then: with the version that held last; `None` when none did.
    pub fn view(&self, memory: &Memory, known: Known<'_>) -> Option<Memory> {
        if self.is_now() {
            return Some(memory.clone());
        }
        let place = self.version(memory, known)?;
        let mut then = memory.clone();
        then.versions.truncate(place + 1);
        Some(then)
    }
}

/// When the n-th version of a memory held, of whose versions only the first `count` are known: from when it says,
/// else from the end of the one before, else from when it was said; until when it says, else until the next one
/// begins.
pub fn held(memory: &Memory, place: usize, count: usize, known: Known<'_>) -> Option<Held> {
    let from = start(memory, place, known)?;
    let next = (place + 1 < count).then(|| start(memory, place + 1, known));
    let to = memory.versions.get(place)?.valid_to.or(next.flatten());
    Some(Held { from, to })
}

fn start(memory: &Memory, place: usize, known: Known<'_>) -> Option<Moment> {
    let version = memory.versions.get(place)?;
    if let Some(from) = version.valid_from {
        return Some(from);
    }
    let Some(before) = place.checked_sub(1) else {
        return Some(memory.created_at);
    };
    let ended = memory.versions.get(before)?.valid_to;
    let messages = version.sources.iter().filter_map(|id| known.card(id));
    let said = messages.map(|message| message.created_at).max();
    let from = ended.or(said).unwrap_or(version.known_from);
    // Told when it was over already: nobody said when it began.
    let is_told_late = version.valid_to.is_some_and(|to| to <= from);
    Some(match is_told_late {
        true => start(memory, before, known)?,
        false => from,
    })
}
