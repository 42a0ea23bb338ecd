//! The documents of a keyword index in the order of their conversations, and their lengths.

use super::CONTEXT;
use super::codec::{allocation, reserve};
use crate::index::{Language, Slot};

/// Where a document stands among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Nowhere: no other gives it context, and it gives none.
    Alone,
    /// After this one, and before what came after it until now.
    After(Slot),
    /// Before this one, and after what came before it until now.
    Before(Slot),
}

/// No slot: none is as high.
const NONE: Slot = Slot::MAX;

/// What is known of a document beside its terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Document {
    pub language: Language,
    /// Terms that are told about it.
    pub about: u8,
    /// Terms of its text.
    pub text: u16,
    before: Slot,
    after: Slot,
}

impl Document {
    /// Lengths above the greatest that are kept count as that.
    pub fn new(language: Language, text: usize, about: usize) -> Self {
        Self {
            language,
            about: about.min(u8::MAX.into()) as u8,
            text: text.min(u16::MAX.into()) as u16,
            before: NONE,
            after: NONE,
        }
    }

    pub fn before(&self) -> Option<Slot> {
        (self.before != NONE).then_some(self.before)
    }
}

/// Documents by slot, each linked with the ones before and after it.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    documents: Vec<Option<Document>>,
    count: usize,
    /// The sum of all lengths, in quarters.
    total: u64,
    languages: [u32; Language::COUNT],
}

impl Chain {
    pub fn bytes(&self) -> usize {
        allocation(self.documents.capacity() * size_of::<Option<Document>>())
    }

    /// How many documents there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The slots that there are, empty ones too.
    pub fn slots(&self) -> usize {
        self.documents.len()
    }

    /// The sum of all lengths, in quarters.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The languages of the documents.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        let counted = Language::ALL.into_iter().zip(self.languages);
        counted
            .filter(|(_, count)| *count > 0)
            .map(|(language, _)| language)
    }

    pub fn get(&self, slot: Slot) -> Option<&Document> {
        self.documents.get(slot as usize)?.as_ref()
    }

    /// The one after a document.
    #[inline]
    pub fn after(&self, slot: Slot) -> Option<Slot> {
        let after = self.get(slot)?.after;
        (after != NONE).then_some(after)
    }

    /// The length of a document with its context, in quarters of terms.
    #[inline]
    pub fn length(&self, slot: Slot) -> u32 {
        let Some(document) = self.get(slot) else {
            return 0;
        };
        let mut length = 4 * (u32::from(document.text) + u32::from(document.about));
        let mut before = document.before;
        for quarters in CONTEXT {
            let Some(document) = self.get(before) else {
                break;
            };
            length += quarters * u32::from(document.text);
            before = document.before;
        }
        length
    }

    /// Puts a document into an empty slot.
    pub fn insert(&mut self, slot: Slot, document: Document, position: Position) {
        let (before, after) = match position {
            Position::Alone => (NONE, NONE),
            Position::After(before) => (before, self.get(before).map_or(NONE, |it| it.after)),
            Position::Before(after) => (self.get(after).map_or(NONE, |it| it.before), after),
        };
        let is_there = |slot: Slot| self.get(slot).map_or(NONE, |_| slot);
        let (before, after) = (is_there(before), is_there(after));
        self.total -= self.lengths(after, CONTEXT.len());
        self.put(
            slot,
            Document {
                before,
                after,
                ..document
            },
        );
        self.join(before, slot);
        self.join(slot, after);
        self.total += self.lengths(slot, 1 + CONTEXT.len());
    }

    /// Empties a slot.
    pub fn remove(&mut self, slot: Slot) -> Option<Document> {
        let document = self.documents.get(slot as usize).copied().flatten()?;
        self.total -= self.lengths(slot, 1 + CONTEXT.len());
        if let Some(place) = self.documents.get_mut(slot as usize) {
            *place = None;
        }
        self.count -= 1;
        if let Some(count) = self.languages.get_mut(document.language as usize) {
            *count -= 1;
        }
        self.join(document.before, document.after);
        self.total += self.lengths(document.after, CONTEXT.len());
        Some(document)
    }

    /// Puts a document where it was before, after the one in a slot that may come later; [`Chain::restored`] ends
    /// this.
    pub fn restore(&mut self, slot: Slot, document: Document, before: Option<Slot>) {
        let before = before.unwrap_or(NONE);
        self.put(slot, Document { before, ..document });
    }

    /// Links and measures what was restored.
    pub fn restored(&mut self) {
        for slot in 0..self.documents.len() as Slot {
            if let Some(before) = self.get(slot).and_then(Document::before) {
                self.join(before, slot);
            }
        }
        let lengths = (0..self.documents.len() as Slot).map(|slot| u64::from(self.length(slot)));
        self.total = lengths.sum();
    }

    fn put(&mut self, slot: Slot, document: Document) {
        let at = slot as usize;
        if self.documents.len() <= at {
            let more = at + 1 - self.documents.len();
            reserve(&mut self.documents, more);
            self.documents.resize(at + 1, None);
        }
        if let Some(place) = self.documents.get_mut(at) {
            *place = Some(document);
            self.count += 1;
        }
        if let Some(count) = self.languages.get_mut(document.language as usize) {
            *count += 1;
        }
    }

    /// Makes two documents neighbours.
    fn join(&mut self, before: Slot, after: Slot) {
        if let Some(Some(document)) = self.documents.get_mut(before as usize) {
            document.after = after;
        }
        if let Some(Some(document)) = self.documents.get_mut(after as usize) {
            document.before = before;
        }
    }

    /// The lengths of so many documents from one on: a document gives context to as many as it gets it from.
    fn lengths(&self, slot: Slot, count: usize) -> u64 {
        let slots = std::iter::successors(Some(slot), |slot| self.after(*slot));
        let lengths = slots.take(count).map(|slot| u64::from(self.length(slot)));
        lengths.sum()
    }
}
