//! The pages of a space's cards and indexes in storage, so that a cold start reads instead of computing.
//!
//! [`Table::Index`] holds `cards/…`, `codes/…` of the vectors, their `rows/…` while those are resident, `words/…`, `links/…` of
//! the graph between vectors if one is kept, a `head` that counts them, and a `tail`: for each
//! commit after the pages were stored, the memories that it changed. Loading takes in the pages and then the
//! memories of the tail. Before the first `head`, and whenever a page is lost, everything is made from the records.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::state::{State, vectors_of};
use super::{Host, Space, SpaceError};
use crate::compact::OrderedSet;
use crate::index::Residency;
use crate::memory::Id;
use crate::pipeline::pages::{
    load_cards, load_codes, load_links, load_rows, load_words, page_of_card, page_of_links,
    save_cards, save_codes, save_links, save_rows, save_words,
};
use crate::store::pages::{PageError, damaged, decode, encode};
use crate::store::records::decode as decode_record;
use crate::store::{Changes, Storage, Table, Write};

/// Changed memories after which the pages are stored.
const EVERY: usize = 128;

/// Pages read at a time while loading.
const PAGES: usize = 64;

/// Vectors read at a time for the tail: few, as they may not be wanted.
const AHEAD: usize = 16;

const HEAD: &str = "head";

/// How the stored pages stand to the state.
#[derive(Debug, Default)]
pub(super) struct Pages {
    stored: Stored,
    /// The memories that changed since the pages were stored.
    changed: OrderedSet<Id>,
    /// Pages of cards that changed since.
    cards: OrderedSet<u32>,
    /// Records of the tail.
    tail: u32,
    /// How many of the stored pages are rows.
    rows: u32,
    /// Pages were removed, and are to be stored again soon.
    torn: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Stored {
    /// There are none.
    #[default]
    Nothing,
    /// They are not to be used.
    Invalid,
    /// They and the tail are the state.
    Valid,
}

/// How many pages there are.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Head {
    cards: u32,
    codes: u32,
    /// 0 when rows are not resident.
    rows: u32,
    words: u32,
}

/// What the pages gave.
pub(super) enum Loaded {
    /// Everything, but for these memories, which changed since.
    All(OrderedSet<Id>),
    /// Nothing: there are none yet.
    Nothing,
}

impl Pages {
    /// What must be written together with a change.
    pub fn writes(&self, changes: &Changes) -> Vec<Write> {
        let touched: Vec<u128> = touched(changes).map(|id| id.to_bits()).collect();
        if changes.clear || touched.is_empty() {
            return Vec::new();
        }
        match self.stored {
            Stored::Nothing => Vec::new(),
            Stored::Invalid => vec![Write::ClearTable {
                table: Table::Index,
            }],
            Stored::Valid => vec![put(tail_key(self.tail + 1), encode(&touched))],
        }
    }

    /// Takes note that [`Pages::writes`] were written.
    pub fn written(&mut self, changes: &Changes) {
        match self.stored {
            Stored::Invalid if touched(changes).next().is_some() => self.stored = Stored::Nothing,
            Stored::Valid => self.tail += 1,
            _ => {}
        }
    }

    /// Takes note of a change that was stored.
    pub fn apply(&mut self, changes: &Changes) {
        if changes.clear || changes.drop_vectors {
            *self = Self::default();
        }
        for id in touched(changes) {
            self.changed.insert(id);
            self.cards.insert(page_of_card(&id));
        }
        self.torn |= self.stored == Stored::Valid && !changes.erased.is_empty();
    }

    /// What is stored lacks what is here: it is to be stored again soon.
    pub fn tear(&mut self) {
        self.torn = true;
    }

    /// The stored pages are not to be used.
    pub fn invalidate(&mut self) {
        self.stored = Stored::Invalid;
    }
}

impl State {
    /// Takes in the stored pages.
    ///
    /// # Errors
    /// The outer when the storage fails, the inner when the pages cannot be used: then the state is half
    /// filled and to be thrown away.
    pub(super) async fn load_pages(
        &mut self,
        storage: &impl Storage,
    ) -> Result<Result<Loaded, PageError>, SpaceError> {
        let mut found = Head::default();
        let mut head = None;
        let mut changed = OrderedSet::new();
        let mut links = Vec::new();
        let mut rows = 0;
        let mut after: Option<String> = None;
        loop {
            let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let entries = storage.scan(Table::Index, from, PAGES).await?;
            for (key, bytes) in &entries {
                let key = key.as_str();
                let (kind, number) = key.split_once('/').unwrap_or((key, "0"));
                let page = u32::from_str_radix(number, 16).unwrap_or(u32::MAX);
                let taken = match kind {
                    "cards" => {
                        found.cards += 1;
                        load_cards(&mut self.knowledge, key, bytes)
                    }
                    "codes" => {
                        found.codes += 1;
                        load_codes(&mut self.index, page, key, bytes)
                    }
                    "rows" => {
                        found.rows += 1;
                        let taken = match self.index.residency() {
                            Residency::Resident => load_rows(&mut self.index, page, key, bytes),
                            Residency::Lean => Ok(0),
                        };
                        self.make_room();
                        taken.map(|count| rows += count)
                    }
                    "words" => {
                        found.words += 1;
                        load_words(&mut self.index, &self.knowledge, page, key, bytes)
                    }
                    // They come before the vectors that they link.
                    "links" => {
                        links.push((key.to_owned(), bytes.clone()));
                        Ok(())
                    }
                    "tail" => decode::<Vec<u128>>(key, bytes).map(|ids| {
                        self.pages.tail = self.pages.tail.max(page);
                        changed.extend(ids.into_iter().map(Id::from_bits));
                    }),
                    HEAD => decode(key, bytes).map(|counts: Head| head = Some(counts)),
                    _ => Err(damaged(key)),
                };
                if let Err(error) = taken {
                    return Ok(Err(error));
                }
            }
            match entries.into_iter().next_back() {
                Some((key, _)) => after = Some(key),
                None => break,
            }
        }
        let sum = |head: &Head| (head.cards + head.codes + head.rows + head.words) as usize;
        let Some(head) = head else {
            return Ok(match after {
                None => Ok(Loaded::Nothing),
                Some(_) => Err(PageError::Missing {
                    expected: 1,
                    found: 0,
                }),
            });
        };
        if head != found {
            return Ok(Err(PageError::Missing {
                expected: sum(&head),
                found: sum(&found),
            }));
        }
        if rows < self.index.vectors_count() {
            self.index.drop_rows();
        }
        for (key, bytes) in links {
            let page = key
                .rsplit_once('/')
                .map(|(_, number)| u32::from_str_radix(number, 16));
            let page = page.and_then(Result::ok).unwrap_or_default();
            // Without them the graph grows anew; answers are the same.
            drop(load_links(&mut self.index, page, &key, &bytes));
        }
        self.index.loaded();
        self.pages.stored = Stored::Valid;
        self.pages.rows = head.rows;
        Ok(Ok(Loaded::All(changed)))
    }

    /// Takes in what changed since the pages were stored, from the records.
    pub(super) async fn load_tail(
        &mut self,
        storage: &impl Storage,
        changed: OrderedSet<Id>,
    ) -> Result<(), SpaceError> {
        if !changed.is_empty() {
            storage.ready().await?;
        }
        let mut changes = Changes::default();
        let mut vectors = Vec::new().into_iter().peekable();
        for id in changed {
            let key = id.to_string();
            let Some(bytes) = storage.read(Table::Memories, &key)? else {
                changes.erased.push(id);
                continue;
            };
            changes
                .memories
                .push(decode_record(Table::Memories, &key, &bytes)?);
            // What changed last has keys that follow each other; a database that must be waited for takes its time for
            // each question.
            while vectors.next_if(|(known, _)| *known < key).is_some() {}
            if vectors.peek().is_none() {
                let next = storage.scan(Table::Vectors, Bound::Included(&key), AHEAD);
                vectors = next.await?.into_iter().peekable();
            }
            if let Some((_, bytes)) = vectors.next_if(|(known, _)| *known == key) {
                let found = vectors_of(&key, &bytes)?;
                changes.vectors.extend(found.map(|vectors| (id, vectors)));
            }
        }
        self.apply(changes, storage)
    }

    /// The writes that remove from the stored pages whatever tells of erased memories. Until those pages are
    /// stored again there is no head, so that a crash between costs time only.
    pub(super) fn tear(&self, changes: &Changes) -> Vec<Write> {
        if changes.clear || changes.erased.is_empty() || self.pages.stored != Stored::Valid {
            return Vec::new();
        }
        let mut keys = OrderedSet::from([HEAD.to_owned()]);
        for card in changes
            .erased
            .iter()
            .filter_map(|id| self.knowledge.card(id))
        {
            keys.insert(cards_key(page_of_card(&card.id)));
            for page in self.index.pages_of(&card.id) {
                keys.extend([
                    codes_key(page),
                    rows_key(page),
                    words_key(page),
                    links_key(page_of_links(page)),
                ]);
            }
        }
        let table = Table::Index;
        let writes = keys.into_iter().map(|key| Write::Delete { table, key });
        writes.collect()
    }

    /// The writes that bring the stored pages up to the state; `None` while fewer memories than `least` have changed.
    fn pages_due(&self, least: usize) -> Option<(Vec<Write>, Head)> {
        let is_due = self.pages.torn || self.pages.changed.len() >= least;
        if !is_due || self.has_stale_vectors() {
            return None;
        }
        let mut writes = Vec::new();
        let (cards, slots): (OrderedSet<u32>, OrderedSet<u32>) = match self.pages.stored {
            Stored::Valid => (self.pages.cards.clone(), self.index.touched().collect()),
            _ => {
                writes.push(Write::ClearTable {
                    table: Table::Index,
                });
                let cards = self.knowledge.card_pages().collect();
                (cards, (0..self.index.pages()).collect())
            }
        };
        let page = |key: String, page: Option<Vec<u8>>| match page {
            Some(page) => put(key, page),
            None => Write::Delete {
                table: Table::Index,
                key,
            },
        };
        for number in cards {
            let cards = save_cards(&self.knowledge, number);
            writes.push(page(cards_key(number), cards));
        }
        // Rows that were dropped leave no page behind, and those that came back leave out none.
        let all = 0..self.index.pages();
        let are_resident = self.index.residency() == Residency::Resident;
        let rows = match are_resident == (self.pages.rows > 0) {
            true => slots.clone(),
            false => all.collect(),
        };
        for number in rows {
            let rows = save_rows(&self.index, number);
            writes.push(page(rows_key(number), rows));
        }
        for number in slots {
            let codes = save_codes(&self.index, number);
            writes.push(page(codes_key(number), codes));
            let words = save_words(&self.index, number);
            writes.push(page(words_key(number), words));
        }
        let links = save_links(&self.index, self.pages.torn);
        let links = links.into_iter().flatten();
        writes.extend(links.map(|(number, links)| page(links_key(number), links)));
        let tail = (1..=self.pages.tail).map(|number| page(tail_key(number), None));
        writes.extend(tail);
        let slots = |is_there: &dyn Fn(u32) -> bool| {
            (0..self.index.pages())
                .filter(|page| is_there(*page))
                .count() as u32
        };
        let codes = slots(&|page| self.index.has_vectors_on(page));
        let head = Head {
            cards: self.knowledge.card_pages().count() as u32,
            codes,
            rows: if are_resident { codes } else { 0 },
            words: slots(&|page| self.index.has_words_on(page)),
        };
        writes.push(put(HEAD.to_owned(), encode(&head)));
        Some((writes, head))
    }
}

impl<H: Host> Space<H> {
    /// Stores the pages when enough has changed. They only repeat what is stored, so that a failure costs time
    /// at the next start and is no failure of the operation; it is tried again after the next change.
    pub(super) async fn save_pages(&self) {
        self.save_pages_of(EVERY).await;
    }

    /// Stores the pages however little has changed, so that the next start has less to do: for a host that has
    /// nothing else to do.
    pub async fn settle(&self) {
        let _turn = self.commits.lock().await;
        self.save_pages_of(1).await;
    }

    async fn save_pages_of(&self, least: usize) {
        let Some((writes, head)) = self.state.borrow().pages_due(least) else {
            return;
        };
        match self.host.storage().commit(writes).await {
            Ok(()) => {
                let mut state = self.state.borrow_mut();
                state.pages = Pages {
                    stored: Stored::Valid,
                    rows: head.rows,
                    ..Pages::default()
                };
                state.index.stored();
            }
            Err(error) => self.host.warn(&format!(
                "the pages of the indexes could not be stored: {error}"
            )),
        }
    }
}

fn touched(changes: &Changes) -> impl Iterator<Item = Id> {
    let memories = changes.memories.iter().map(|memory| memory.id);
    let erased = changes.erased.iter().copied();
    let vectors = changes.vectors.iter().map(|(id, _)| *id);
    memories.chain(erased).chain(vectors)
}

fn cards_key(number: u32) -> String {
    format!("cards/{number:08x}")
}

fn codes_key(number: u32) -> String {
    format!("codes/{number:08x}")
}

fn rows_key(number: u32) -> String {
    format!("rows/{number:08x}")
}

fn words_key(number: u32) -> String {
    format!("words/{number:08x}")
}

fn links_key(number: u32) -> String {
    format!("links/{number:08x}")
}

fn tail_key(number: u32) -> String {
    format!("tail/{number:08x}")
}

fn put(key: String, record: Vec<u8>) -> Write {
    Write::Put {
        table: Table::Index,
        key,
        record,
        columns: Vec::new(),
    }
}
