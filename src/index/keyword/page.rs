//! Pages of a keyword index, to be stored and restored.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::KeywordIndex;
use super::chain::Document;
use super::codec::{Times, read, write};
use super::terms::Term;
use crate::index::{Language, Slot};

/// The documents of some slots: word by word, in whose documents it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KeywordPage<'a> {
    #[serde(borrow)]
    words: Vec<&'a str>,
    /// How many bytes of the postings are each word's.
    lengths: Vec<u32>,
    /// The documents of one word after another, encoded as in the index, from the page's first slot on.
    #[serde(with = "bytes")]
    postings: Cow<'a, [u8]>,
    /// `None` for an empty slot.
    documents: Vec<Option<Saved>>,
}

/// A document: its language, how many terms are in its text and about it, and how many slots ahead of the one
/// before it is, if there is one.
type Saved = (u8, u16, u8, Option<i32>);

/// Bytes that are borrowed where they are read.
mod bytes {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'de, [u8]>, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Cow::Borrowed)
    }
}

impl KeywordIndex {
    /// The documents in `count` slots from `first` on.
    pub fn page(&self, first: Slot, count: usize) -> KeywordPage<'_> {
        let slots = || (first..).take(count);
        let mut entries: Vec<(Term, Slot, Times)> = Vec::new();
        for slot in slots() {
            let terms = read(self.forward.get(slot));
            entries.extend(terms.map(|term| (term.number, slot - first, term.times)));
        }
        // By slot they are already.
        entries.sort_by_key(|(term, ..)| *term);
        let mut page = KeywordPage {
            documents: slots()
                .map(|slot| Some(self.saved(slot, self.chain.get(slot)?)))
                .collect(),
            ..KeywordPage::default()
        };
        let postings = page.postings.to_mut();
        for entries in entries.chunk_by(|left, right| left.0 == right.0) {
            let start = postings.len();
            let mut before = None;
            for (_, place, times) in entries {
                write(postings, before, *place, *times);
                before = Some(*place);
            }
            page.words
                .extend(entries.first().map(|(term, ..)| self.terms.word(*term)));
            page.lengths.push((postings.len() - start) as u32);
        }
        page
    }

    fn saved(&self, slot: Slot, document: &Document) -> Saved {
        let ahead = |before: Slot| slot.wrapping_sub(before) as i32;
        let before = document.before().map(ahead);
        (
            document.language as u8,
            document.text,
            document.about,
            before,
        )
    }

    /// Takes in the documents of a page whose first slot is `first`. The slots must be empty, and those after
    /// them too. [`KeywordIndex::restored`] ends this.
    pub fn restore(&mut self, first: Slot, page: &KeywordPage<'_>) {
        let mut documents = std::mem::take(&mut self.room);
        documents.resize(page.documents.len(), Vec::new());
        let mut rest = &*page.postings;
        for (word, length) in page.words.iter().zip(&page.lengths) {
            let Some((postings, after)) = rest.split_at_checked(*length as usize) else {
                return;
            };
            rest = after;
            let term = self.terms.assign(word, postings.len());
            self.terms.append(term, first, postings);
            for entry in read(postings) {
                if let Some(terms) = documents.get_mut(entry.number as usize) {
                    terms.push((term, entry.times));
                }
            }
        }
        let mut encoded = Vec::new();
        for ((slot, saved), terms) in (first..).zip(&page.documents).zip(&mut documents) {
            let Some((language, text, about, ahead)) = *saved else {
                continue;
            };
            let language = Language::ALL.get(usize::from(language)).copied();
            let document = Document::new(language.unwrap_or_default(), text.into(), about.into());
            let before = ahead.map(|ahead| slot.wrapping_sub(ahead as Slot));
            self.chain.restore(slot, document, before);
            // They mostly are in order: terms are numbered as they come.
            if !terms.is_sorted_by_key(|(term, _)| *term) {
                terms.sort_unstable_by_key(|(term, _)| *term);
            }
            self.remember(slot, terms, &mut encoded);
            terms.clear();
        }
        self.room = documents;
    }

    /// Ends a series of [`KeywordIndex::restore`].
    pub fn restored(&mut self) {
        self.room = Vec::new();
        self.terms.restored();
        self.chain.restored();
    }
}
