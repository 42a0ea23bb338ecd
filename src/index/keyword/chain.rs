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
}

impl Document {
    /// Lengths above the greatest that are kept count as that.
    pub fn new(language: Language, text: usize, about: usize) -> Self {
        Self {
            language,
            about: about.min(u8::MAX.into()) as u8,
            text: text.min(u16::MAX.into()) as u16,
            before: NONE,
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
    /// What every search reads: the slot after each, or [`NONE`], and the length of each with its context, in quarters
    /// of terms.
    after: Vec<Slot>,
    lengths: Vec<u32>,
    count: usize,
    /// The sum of all lengths.
    total: u64,
    languages: [u32; Language::COUNT],
}

impl Chain {
    pub fn bytes(&self) -> usize {
        allocation(self.documents.capacity() * size_of::<Option<Document>>())
            + allocation(self.after.capacity() * size_of::<Slot>())
            + allocation(self.lengths.capacity() * size_of::<u32>())
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

    /// The slot after a document's; one that there is not when nothing comes after.
    #[inline]
    pub fn after(&self, slot: Slot) -> Slot {
        self.after.get(slot as usize).copied().unwrap_or(NONE)
    }

    /// The length of a document with its context, in quarters of terms.
    #[inline]
    pub fn length(&self, slot: Slot) -> u32 {
        self.lengths.get(slot as usize).copied().unwrap_or_default()
    }

    /// Puts a document into an empty slot.
    pub fn insert(&mut self, slot: Slot, document: Document, position: Position) {
        let before = |slot| self.get(slot).and_then(Document::before).unwrap_or(NONE);
        let (before, after) = match position {
            Position::Alone => (NONE, NONE),
            Position::After(before) => (before, self.after(before)),
            Position::Before(after) => (before(after), after),
        };
        self.put(slot, document);
        self.join(before, slot);
        self.join(slot, after);
        self.measure(slot);
    }

    /// Empties a slot.
    pub fn remove(&mut self, slot: Slot) -> Option<Document> {
        let document = self.documents.get_mut(slot as usize)?.take()?;
        let after = self.after(slot);
        self.join(slot, NONE);
        self.join(document.before, after);
        self.count -= 1;
        if let Some(count) = self.languages.get_mut(document.language as usize) {
            *count -= 1;
        }
        self.measure(slot);
        self.measure(after);
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
        let slots = 0..self.documents.len() as Slot;
        for slot in slots.clone() {
            if let Some(before) = self.get(slot).and_then(Document::before) {
                self.join(before, slot);
            }
        }
        slots.for_each(|slot| self.measure_one(slot));
    }

    fn put(&mut self, slot: Slot, document: Document) {
        let slots = slot as usize + 1;
        if let Some(more) = slots.checked_sub(self.documents.len()) {
            reserve(&mut self.documents, more);
            reserve(&mut self.after, more);
            reserve(&mut self.lengths, more);
            self.documents.resize(slots, None);
            self.after.resize(slots, NONE);
            self.lengths.resize(slots, 0);
        }
        if let Some(place) = self.documents.get_mut(slot as usize) {
            *place = Some(document);
            self.count += 1;
        }
        if let Some(count) = self.languages.get_mut(document.language as usize) {
            *count += 1;
        }
    }

    /// Makes two documents neighbours; either may be none.
    fn join(&mut self, before: Slot, after: Slot) {
        let known = |slot: Slot| self.get(slot).map_or(NONE, |_| slot);
        let (known_before, known_after) = (known(before), known(after));
        if let Some(place) = self.after.get_mut(before as usize) {
            *place = known_after;
        }
        if let Some(Some(document)) = self.documents.get_mut(after as usize) {
            document.before = known_before;
        }
    }

    /// Measures a document anew, and those to which it gives context: as many as it gets it from.
    fn measure(&mut self, slot: Slot) {
        let mut slot = slot;
        for _ in 0..=CONTEXT.len() {
            self.measure_one(slot);
            slot = self.after(slot);
        }
    }

    fn measure_one(&mut self, slot: Slot) {
        let mut length = 0;
        let mut before = NONE;
        if let Some(document) = self.get(slot) {
            length = 4 * (u32::from(document.text) + u32::from(document.about));
            before = document.before;
        }
        for quarters in CONTEXT {
            let Some(document) = self.get(before) else {
                break;
            };
            length += quarters * u32::from(document.text);
            before = document.before;
        }
        if let Some(known) = self.lengths.get_mut(slot as usize) {
            self.total = self.total - u64::from(*known) + u64::from(length);
            *known = length;
        }
    }
}
